/** An access token by the client credentials grant of OAuth 2 (RFC 6749, section 4.4). */
import { ServiceError, systemCodeOf } from '../core/errors.ts';
import type { TokenOrigin } from '../core/kafka-security.ts';
import { type AccessToken, ANSWER_TIMEOUT_MS, MAX_ANSWER_BYTES, readToken } from './access-token.ts';

export type TokenEndpoint = Extract<TokenOrigin, { kind: 'url' }>;

/**
 * Asks the endpoint once.
 * @throws ServiceError AUTHENTICATION_FAILED when it refuses the client, TOKEN_UNAVAILABLE when it cannot
 *   be reached or gives no token
 */
export async function tokenFromEndpoint(endpoint: TokenEndpoint): Promise<AccessToken> {
  const { status, body } = await ask(endpoint);
  if (status === 400 || status === 401 || status === 403) throw refused(endpoint, status, body);
  if (status !== 200) throw unavailable(endpoint, `answered with status ${status}`);
  const token = readToken(body, Date.now());
  if (token === undefined) throw unavailable(endpoint, 'answered without an access token');
  return token;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(endpoint: TokenEndpoint): Promise<Answer> {
  const { url, clientId, clientSecret, scope } = endpoint;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: basic(clientId, clientSecret), accept: 'application/json' },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === null ? {} : { scope }) }),
      // The secret goes to the configured address and to no other.
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    return { status: response.status, body: await boundedText(response) };
  } catch (error) {
    throw unavailable(endpoint, `cannot be reached (${reasonOf(error)})`);
  }
}

/**
 * Both parts are encoded as in a form before they are joined (RFC 6749, section 2.3.1). Of the ways to do
 * so this one changes the fewest characters, for providers that do not decode.
 */
function basic(clientId: string, clientSecret: string): string {
  const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/** What comes after the limit is not read. */
async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString();
}

/** `fetch` hides what happened in the cause of a TypeError. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return systemCodeOf(error.cause) ?? (error.cause instanceof Error ? error.cause.message : error.message);
}

function refused(endpoint: TokenEndpoint, status: number, body: string): ServiceError {
  // Of the answer only the error code of RFC 6749, section 5.2: a description may repeat what was sent.
  const code = /"error"\s*:\s*"([a-z_]{1,64})"/.exec(body)?.[1] ?? `status ${status}`;
  return new ServiceError(
    'AUTHENTICATION_FAILED',
    `${shown(endpoint)} refused client "${endpoint.clientId}" (${code}): check kafka.sasl.client_id, client_secret and scope.`,
    { clientId: endpoint.clientId },
  );
}

function unavailable(endpoint: TokenEndpoint, what: string): ServiceError {
  return new ServiceError('TOKEN_UNAVAILABLE', `${shown(endpoint)} ${what}: check kafka.sasl.token_url.`);
}

/** Without the query. */
function shown({ url }: TokenEndpoint): string {
  const { origin, pathname } = new URL(url);
  return `The token endpoint ${origin}${pathname}`;
}
