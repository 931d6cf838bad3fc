/** Does one thing again and again: after a pause, or at once when there is a reason. Never twice at a time. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface RoundsOptions {
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** The next round comes all the same. */
  readonly onFailed: (error: unknown) => void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #stopping = new AbortController();
  #wake = new AbortController();
  #done: Promise<void> | undefined;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** The first round begins now. */
  start(): void {
    this.#done ??= this.#loop();
  }

  /** The next round begins as soon as the present one is over. */
  soon(): void {
    this.#wake.abort();
  }

  /** Resolves when the round under way was given up or done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #loop(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.#options.run(signal);
      } catch (error) {
        if (!signal.aborted) this.#options.onFailed(error);
      }
      const either = AbortSignal.any([signal, this.#wake.signal]);
      await sleep(this.#options.everyMs, undefined, { signal: either }).catch(() => undefined);
    }
  }
}
