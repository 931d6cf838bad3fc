/** Remembers when the records of handed units were produced, until a checkpoint makes them durable. */
import type { TimestampCount } from '../core/messages.ts';

export class DurabilityTracker {
  readonly #waiting: (readonly TimestampCount[])[] = [];
  #durableUnits = 0;

  /** A unit was handed to the writer; units become durable in this order. */
  handed(timestamps: readonly TimestampCount[]): void {
    this.#waiting.push(timestamps);
  }

  /** Reports the latency of every record up to the `durableUnits`th unit since the start. */
  durable(
    durableUnits: number,
    nowMs: number,
    report: (milliseconds: number, records: number) => void,
  ): void {
    const count = durableUnits - this.#durableUnits;
    this.#durableUnits = durableUnits;
    for (const timestamps of this.#waiting.splice(0, count)) {
      for (const { timestamp, records } of timestamps) report(Math.max(0, nowMs - timestamp), records);
    }
  }
}
