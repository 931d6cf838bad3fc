/**
 * Keeps one access token for all connections and renews it before it ends.
 *
 * Invariants
 * - One request at a time, however many connections ask.
 * - A token that is still good outlives an identity provider that does not answer: it is used while
 *   renewing is tried again, ever more slowly.
 */
import { messageOf } from '../core/errors.ts';
import type { AccessToken } from './access-token.ts';

/** A token is renewed when a fifth of its life is left, within these bounds. */
const MARGIN_SHARE = 0.2;
const MIN_MARGIN_MS = 10_000;
const MAX_MARGIN_MS = 300_000;

/**
 * A token before its end is not used for a login: the broker would end the session with it, and refuses
 * logins that follow each other within a second.
 */
const MIN_USE_MS = 5000;

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 30_000;

interface Held extends AccessToken {
  readonly renewAt: number;
}

export class TokenSource {
  readonly #obtain: () => Promise<AccessToken>;
  #held: Held | undefined;
  #request: Promise<string> | undefined;
  #retryMs = FIRST_RETRY_MS;

  /** @param obtain asks for a new token, once */
  constructor(obtain: () => Promise<AccessToken>) {
    this.#obtain = obtain;
  }

  /**
   * A token that is good for a login.
   * @param onProblem told when renewing failed and the token before is used
   * @throws ServiceError AUTHENTICATION_FAILED or TOKEN_UNAVAILABLE
   */
  async token(onProblem: (message: string) => void): Promise<string> {
    if (this.#held !== undefined && Date.now() < this.#held.renewAt) return this.#held.value;
    this.#request ??= this.#renew(onProblem).finally(() => {
      this.#request = undefined;
    });
    return this.#request;
  }

  /** The broker refused the token: the next login gets another. */
  forget(): void {
    this.#held = undefined;
  }

  async #renew(onProblem: (message: string) => void): Promise<string> {
    try {
      const token = await this.#obtain();
      const now = Date.now();
      const margin = (token.expiresAt - now) * MARGIN_SHARE;
      this.#held = {
        ...token,
        renewAt: token.expiresAt - Math.min(MAX_MARGIN_MS, Math.max(MIN_MARGIN_MS, margin)),
      };
      this.#retryMs = FIRST_RETRY_MS;
      return token.value;
    } catch (error) {
      const held = this.#held;
      const usableUntil = (held?.expiresAt ?? 0) - MIN_USE_MS;
      if (held === undefined || usableUntil <= Date.now()) throw error;
      this.#held = { ...held, renewAt: Math.min(usableUntil, Date.now() + this.#retryMs) };
      this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
      onProblem(`${messageOf(error)} The access token before is used until it expires.`);
      return held.value;
    }
  }
}
