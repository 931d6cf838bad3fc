/** Knows whether ingestion is behind: other work waits meanwhile, and the end of it is worth a checkpoint. */
import type { Clock } from '../core/clock.ts';

/** Less than this waiting in Kafka is not a backlog: one fetch brings it. */
const BACKLOG_RECORDS = 10_000;

/** After a burst, ingestion has the workers to itself for this long. */
const QUIET_AFTER_MS = 2000;

export class BacklogWatch {
  readonly #clock: Clock;
  #busyAtMs: number;
  #isBehind = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#busyAtMs = clock.monotonic();
  }

  /** @param unread records that wait in Kafka */
  saw(unread: number): void {
    if (unread < BACKLOG_RECORDS) return;
    this.#isBehind = true;
    this.#busyAtMs = this.#clock.monotonic();
  }

  /** Nothing waits in Kafka or here. @returns true once after each backlog */
  caughtUp(): boolean {
    const wasBehind = this.#isBehind;
    this.#isBehind = false;
    return wasBehind;
  }

  /** Whether there has been no backlog for some time. @param poolIsBehind tasks pile up before the pool now */
  isQuiet(poolIsBehind: boolean): boolean {
    const now = this.#clock.monotonic();
    if (poolIsBehind) this.#busyAtMs = now;
    return now - this.#busyAtMs >= QUIET_AFTER_MS;
  }
}
