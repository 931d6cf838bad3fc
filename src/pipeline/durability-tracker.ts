/** Remembers when the records of handed units were produced, until a checkpoint makes them durable. */
export class DurabilityTracker {
  readonly #waiting: Float64Array[] = [];
  #durableUnits = 0;

  /**
   * A unit was handed to the writer; units become durable in this order.
   * @param timestamps pairs of Kafka timestamp (ms) and records
   */
  handed(timestamps: Float64Array): void {
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
      for (let at = 0; at < timestamps.length; at += 2) {
        report(Math.max(0, nowMs - (timestamps[at] ?? nowMs)), timestamps[at + 1] ?? 0);
      }
    }
  }
}
