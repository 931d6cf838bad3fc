/** Lag per partition: records between the end of the log, as last seen, and what is durable. */
import { type Position, partitionKey, type TopicPartition } from '../core/offsets.ts';
import type { IngestObserver } from './observer.ts';

/** Where a partition's log ended when it was assigned. */
export interface LogEnd extends TopicPartition {
  /** Offset after the last record. */
  readonly latest: number;
}

export class LagTracker {
  readonly #observer: IngestObserver;
  #highWatermarks = new Map<string, number>();
  #taken = new Map<string, number>();
  #assigned: readonly TopicPartition[] = [];

  constructor(observer: IngestObserver) {
    this.#observer = observer;
  }

  /** A new assignment: series of lost partitions disappear. */
  begin(assigned: readonly LogEnd[], positions: readonly Position[]): void {
    const kept = new Set(assigned.map(({ topic, partition }) => partitionKey(topic, partition)));
    for (const { topic, partition } of this.#assigned) {
      if (!kept.has(partitionKey(topic, partition))) this.#observer.lagLost(topic, partition);
    }
    this.#assigned = assigned;
    this.#highWatermarks = new Map(
      assigned.map(({ topic, partition, latest }) => [partitionKey(topic, partition), latest]),
    );
    this.#taken = new Map(
      positions.map(({ topic, partition, nextOffset }) => [partitionKey(topic, partition), nextOffset]),
    );
    this.durable(positions);
  }

  delivered(
    delivery: TopicPartition & { readonly highWatermark: number; readonly nextOffset: number },
  ): void {
    const key = partitionKey(delivery.topic, delivery.partition);
    this.#highWatermarks.set(key, delivery.highWatermark);
    this.#taken.set(key, delivery.nextOffset);
  }

  /** Records that were not fetched yet, as far as the last fetches tell. */
  unread(): number {
    let records = 0;
    for (const [key, highWatermark] of this.#highWatermarks) {
      records += Math.max(0, highWatermark - (this.#taken.get(key) ?? highWatermark));
    }
    return records;
  }

  durable(positions: readonly Position[]): void {
    for (const { topic, partition, nextOffset } of positions) {
      const highWatermark = this.#highWatermarks.get(partitionKey(topic, partition));
      if (highWatermark === undefined) continue;
      this.#observer.lag(topic, partition, Math.max(0, highWatermark - nextOffset));
    }
  }
}
