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

async function authenticate(connection: AuthenticationProviderArgs, tokens: TokenSource): Promise<void> {
  const token = await tokenFor(connection, tokens);
  const refusal = await exchange(connection, `n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${SEPARATOR}`);
  if (refusal === '') return;
  tokens.forget();
  const reason = await exchange(connection, SEPARATOR).then(() => refusal, messageOf);
  throw new AuthenticationFailure(
    new ServiceError(
      'AUTHENTICATION_FAILED',
      `Kafka refused the access token (${reason}): check that it is meant for this cluster and not expired.`,
    ),
  );
}

async function tokenFor(connection: AuthenticationProviderArgs, tokens: TokenSource): Promise<string> {
  try {
    return await tokens.token((problem) => connection.logger.warn(problem));
  } catch (error) {
    connection.logger.error(messageOf(error));
    // kafkajs has begun the login already and would begin it again on the same connection, which the broker
    // refuses. A message that is no token makes the broker end the connection, as we have no means to.
    await exchange(connection, SEPARATOR).catch(() => undefined);
    throw error instanceof ServiceError ? new AuthenticationFailure(error) : error;
  }
}

/** The broker's answer; empty when it has nothing against the message. */
async function exchange({ saslAuthenticate }: AuthenticationProviderArgs, message: string): Promise<string> {
  const request = { encode: () => lengthPrefixed(message) };
  return (await saslAuthenticate({ request, response: ANSWER })) ?? '';
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
