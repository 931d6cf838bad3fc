/** Lag per partition: records between the end of the log, as last seen, and what is durable. */
import type { PartitionPosition } from '../core/messages.ts';
import { partitionKey, type TopicPartition } from '../core/offsets.ts';
import type { IngestObserver } from './observer.ts';

export class LagTracker {
  readonly #observer: IngestObserver;
  #highWatermarks = new Map<string, number>();
  #assigned: readonly TopicPartition[] = [];

  constructor(observer: IngestObserver) {
    this.#observer = observer;
  }

  /** A new assignment: series of lost partitions disappear. */
  begin(assigned: readonly TopicPartition[]): void {
    const kept = new Set(assigned.map(({ topic, partition }) => partitionKey(topic, partition)));
    for (const { topic, partition } of this.#assigned) {
      if (!kept.has(partitionKey(topic, partition))) this.#observer.lagLost(topic, partition);
    }
    this.#assigned = assigned;
    this.#highWatermarks = new Map([...this.#highWatermarks].filter(([key]) => kept.has(key)));
  }

  delivered(delivery: TopicPartition & { readonly highWatermark: number }): void {
    this.#highWatermarks.set(partitionKey(delivery.topic, delivery.partition), delivery.highWatermark);
  }

  durable(positions: readonly PartitionPosition[]): void {
    for (const { topic, partition, nextOffset } of positions) {
      const highWatermark = this.#highWatermarks.get(partitionKey(topic, partition));
      if (highWatermark === undefined) continue;
      this.#observer.lag(topic, partition, Math.max(0, highWatermark - nextOffset));
    }
  }
}
