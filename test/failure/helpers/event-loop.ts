/** The longest time that the main thread of a service did nothing else, from the metrics of its runtime. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from '../../helpers/service.ts';

const POLL_MS = 200;

export class EventLoopWatch {
  readonly #service: ServiceProcess;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #maxSeconds = 0;

  /** Watches a service that is ready; its start does not count. */
  static async begin(service: ServiceProcess): Promise<EventLoopWatch> {
    // The first answer covers the time until now; each later one begins anew.
    await service.metric('nodejs_eventloop_lag_max_seconds');
    return new EventLoopWatch(service);
  }

  private constructor(service: ServiceProcess) {
    this.#service = service;
    this.#done = this.#watch();
    // It may fail while nobody waits for it; `end` still sees it.
    this.#done.catch(() => undefined);
  }

  /** @returns the longest delay in seconds */
  async end(): Promise<number> {
    this.#stop.abort();
    await this.#done;
    return this.#maxSeconds;
  }

  async #watch(): Promise<void> {
    for (let last = false; !last; ) {
      last = this.#stop.signal.aborted;
      const seconds = await this.#service.metric('nodejs_eventloop_lag_max_seconds');
      this.#maxSeconds = Math.max(this.#maxSeconds, seconds);
      if (!last) await sleep(POLL_MS);
    }
  }
}
