/** Growing pauses between tries, so that what is in trouble is not kept there by those who ask. */
import { ExponentialBackoff, halfJitterGenerator, type IBackoff } from 'cockatiel';

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Each pause is twice the one before, up to a limit, and shortened by chance to between a half and the
 * whole: services that failed together do not come back together.
 */
export class Backoff {
  readonly #factory: ExponentialBackoff<number>;
  #latest: IBackoff<unknown> | undefined;

  constructor({ firstMs, maxMs }: BackoffLimits) {
    this.#factory = new ExponentialBackoff({
      generator: halfJitterGenerator,
      initialDelay: firstMs,
      maxDelay: maxMs,
    });
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    this.#latest = this.#latest?.next(undefined) ?? this.#factory.next();
    return this.#latest.duration;
  }

  /** After a success: the next pause is the first again. */
  reset(): void {
    this.#latest = undefined;
  }
}
