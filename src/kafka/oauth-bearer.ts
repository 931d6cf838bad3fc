/**
 * SASL OAUTHBEARER (RFC 7628) for kafkajs. Its own implementation does not read the broker's answer, so a
 * refused token looks to it like a login, and later like a broker that closes connections.
 */
import type { AuthenticationProviderArgs, Mechanism } from 'kafkajs';
import { messageOf, ServiceError } from '../core/errors.ts';
import { AuthenticationFailure } from './authentication-failure.ts';
import type { TokenSource } from './token-source.ts';

/** Separates the parts of a message; alone, it is the answer to a refusal (RFC 7628, section 3.2.3). */
const SEPARATOR = '\u0001';

const LENGTH_BYTES = 4;

export function oauthBearer(tokens: TokenSource): Mechanism {
  return {
    mechanism: 'oauthbearer',
    authenticationProvider: (connection) => ({ authenticate: () => authenticate(connection, tokens) }),
  };
}

async function authenticate(
  { logger, saslAuthenticate }: AuthenticationProviderArgs,
  tokens: TokenSource,
): Promise<void> {
  const token = await tokens
    .token((problem) => logger.warn(problem))
    .catch((error: unknown) => {
      throw error instanceof ServiceError ? new AuthenticationFailure(error) : error;
    });
  const exchange = async (message: string): Promise<string> =>
    (await saslAuthenticate({ request: { encode: () => lengthPrefixed(message) }, response: ANSWER })) ?? '';
  const refusal = await exchange(`n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${SEPARATOR}`);
  if (refusal === '') return;
  tokens.forget();
  const reason = await exchange(SEPARATOR).then(() => refusal, messageOf);
  throw new AuthenticationFailure(
    new ServiceError(
      'AUTHENTICATION_FAILED',
      `Kafka refused the access token (${reason}): check that it is meant for this cluster and not expired.`,
    ),
  );
}

function lengthPrefixed(message: string): Buffer {
  const bytes = Buffer.from(message);
  const prefix = Buffer.alloc(LENGTH_BYTES);
  prefix.writeInt32BE(bytes.length);
  return Buffer.concat([prefix, bytes]);
}

/** kafkajs hands out the bytes with their length in front, as the first protocol had them. */
const ANSWER = {
  decode: (raw: Buffer): Buffer => raw.subarray(LENGTH_BYTES),
  parse: (bytes: Buffer): string => bytes.toString(),
};
