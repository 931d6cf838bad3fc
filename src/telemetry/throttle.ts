import type { Clock } from '../core/clock.ts';

/**
 * Lets the first event through and then one per interval, adding up what it held back, so that hostile
 * input cannot fill the log.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #nextAt = Number.NEGATIVE_INFINITY;
  #held = 0;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
  }

  /** The sum to report now, this event included; undefined to stay silent. */
  pass(count: number): number | undefined {
    const now = this.#clock.monotonic();
    this.#held += count;
    if (now < this.#nextAt) return undefined;
    const sum = this.#held;
    this.#held = 0;
    this.#nextAt = now + this.#intervalMs;
    return sum;
  }
}
