/** An access token, and how it is found in what a program or an identity provider says. */

export interface AccessToken {
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** A longer answer is no token. */
export const MAX_ANSWER_BYTES = 64 * 1024;

/** How long a program or an identity provider may take. */
export const ANSWER_TIMEOUT_MS = 10_000;

/** A token that does not say how long it is good for is used for this long. */
const UNKNOWN_LIFETIME_MS = 60_000;

/** The characters of a bearer token (RFC 6750, section 2.1). */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * The token in a text that is the token itself, or the JSON of RFC 6749, section 5.1: `access_token` and
 * `expires_in` in seconds. Undefined when there is none. A JWT says itself when it ends.
 */
export function readToken(text: string, now: number): AccessToken | undefined {
  const trimmed = text.trim();
  const answer = parsed(trimmed);
  const value = field(answer, 'access_token') ?? trimmed;
  if (typeof value !== 'string' || !BEARER_TOKEN.test(value)) return undefined;
  const lifetime = Number(field(answer, 'expires_in') ?? Number.NaN);
  const expiresAt = Number.isFinite(lifetime) ? now + lifetime * 1000 : expiryOf(value);
  return { value, expiresAt: expiresAt ?? now + UNKNOWN_LIFETIME_MS };
}

/** `exp` of a JWT (RFC 7519, section 4.1.4); undefined for any other token. */
function expiryOf(value: string): number | undefined {
  const [, payload = ''] = value.split('.');
  const seconds = field(parsed(Buffer.from(payload, 'base64url').toString()), 'exp');
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
