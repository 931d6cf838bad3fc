/** The finest rounding; latency is measured in milliseconds and reported in buckets wider than this. */
const MIN_WIDTH_MS = 8;
const MAX_ENTRIES = 64;

/**
 * How many records carry which Kafka timestamp, rounded down, in at most 64 entries: when the
 * timestamps of a unit spread wider, the rounding becomes coarser. Used again for every unit.
 */
export class TimestampCounts {
  private widthMs = MIN_WIDTH_MS;
  private counts = new Map<number, number>();
  /** The entry that the latest record fell into: neighbouring records mostly share it. */
  private latest = -1;
  private latestCount = 0;

  reset(): void {
    this.widthMs = MIN_WIDTH_MS;
    this.counts.clear();
    this.latest = -1;
    this.latestCount = 0;
  }

  /** Counts one record; a negative timestamp is none. */
  add(timestampMs: number): void {
    const sinceLatest = timestampMs - this.latest;
    if (this.latestCount > 0 && sinceLatest >= 0 && sinceLatest < this.widthMs) this.latestCount += 1;
    else if (timestampMs >= 0) this.addElsewhere(timestampMs);
  }

  /** Pairs of timestamp and count, ascending by timestamp. */
  pairs(): Float64Array {
    this.settle();
    return Float64Array.from([...this.counts].sort(([a], [b]) => a - b).flat());
  }

  private addElsewhere(timestampMs: number): void {
    this.settle();
    this.latest = timestampMs - (timestampMs % this.widthMs);
    this.latestCount = 1;
  }

  private settle(): void {
    if (this.latestCount === 0) return;
    addTo(this.counts, this.latest, this.latestCount);
    this.latestCount = 0;
    while (this.counts.size > MAX_ENTRIES) this.coarsen();
  }

  private coarsen(): void {
    this.widthMs *= 2;
    const coarser = new Map<number, number>();
    for (const [timestamp, records] of this.counts) {
      addTo(coarser, timestamp - (timestamp % this.widthMs), records);
    }
    this.counts = coarser;
  }
}

function addTo(counts: Map<number, number>, timestamp: number, records: number): void {
  counts.set(timestamp, (counts.get(timestamp) ?? 0) + records);
}
