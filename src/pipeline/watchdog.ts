/** Notices a consumer that shows no sign of life, however that came about. */
import type { Clock } from '../core/clock.ts';

export class Watchdog {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onStalled: (silentMs: number) => void;
  #lastActivityMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitMs silence after which `onStalled` is called, once */
  constructor(clock: Clock, limitMs: number, onStalled: (silentMs: number) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onStalled = onStalled;
    this.#lastActivityMs = clock.monotonic();
  }

  start(): void {
    this.activity();
    this.#timer = setInterval(() => this.#check(), this.#limitMs / 4);
    this.#timer.unref();
  }

  activity(): void {
    this.#lastActivityMs = this.#clock.monotonic();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const silentMs = this.#clock.monotonic() - this.#lastActivityMs;
    if (silentMs < this.#limitMs) return;
    this.stop();
    this.#onStalled(silentMs);
  }
}
