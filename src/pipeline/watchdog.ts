/**
 * Notices a consumer that shows no sign of life, however that came about.
 *
 * Time in which this very process stood still (SIGSTOP, a suspended machine) proves nothing: nobody could
 * have shown anything. Its own timer, which is late then, tells.
 */
import type { Clock } from '../core/clock.ts';

/** Looks per limit. */
const CHECKS = 4;

export class Watchdog {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onStalled: (silentMs: number) => void;
  #limitMs: number;
  #lastActivityMs: number;
  #lastCheckMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs silence after which `onStalled` is called, once */
  constructor(clock: Clock, limitMs: number, onStalled: (silentMs: number) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#intervalMs = limitMs / CHECKS;
    this.#onStalled = onStalled;
    this.#lastActivityMs = clock.monotonic();
    this.#lastCheckMs = this.#lastActivityMs;
  }

  start(): void {
    this.activity();
    this.#lastCheckMs = this.#clock.monotonic();
    this.#timer = setInterval(() => this.#check(), this.#intervalMs);
    this.#timer.unref();
  }

  activity(): void {
    this.#lastActivityMs = this.#clock.monotonic();
  }

  /** From now on silence may last this long. */
  allow(limitMs: number): void {
    this.#limitMs = limitMs;
    this.activity();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const nowMs = this.#clock.monotonic();
    const sinceCheckMs = nowMs - this.#lastCheckMs;
    this.#lastCheckMs = nowMs;
    if (sinceCheckMs > 2 * this.#intervalMs) {
      this.activity();
      return;
    }
    const silentMs = nowMs - this.#lastActivityMs;
    if (silentMs < this.#limitMs) return;
    this.stop();
    this.#onStalled(silentMs);
  }
}
