/**
 * The offset ledger: what was taken from Kafka, in which order, and what of it is finished.
 *
 * Invariants, per partition
 * - Entries are contiguous: each starts where the one before ended.
 * - Entries leave in offset order, and only when they and all before them are resolved. Work may
 *   finish in any order; offsets move only through here.
 * - Entries belong to one epoch. `begin` drops the unfinished ones, so a late result finds no entry.
 */
import { invariant } from '../core/invariant.ts';
import { type Position, partitionKey, type TopicPartition } from '../core/offsets.ts';

export interface LedgerEntry<R> extends TopicPartition {
  readonly epoch: number;
  readonly firstOffset: number;
  readonly nextOffset: number;
  /** What became of it; undefined until resolved. */
  readonly result: R | undefined;
}

interface MutableEntry<R> extends LedgerEntry<R> {
  result: R | undefined;
}

interface Lane<R> {
  /** Where the next entry must start. */
  takenOffset: number;
  readonly entries: MutableEntry<R>[];
}

export class Ledger<R extends object> {
  readonly #lanes = new Map<string, Lane<R>>();
  #epoch = 0;
  #size = 0;

  get epoch(): number {
    return this.#epoch;
  }

  /** Entries taken and not yet handed on. */
  get size(): number {
    return this.#size;
  }

  /** Starts an epoch in which exactly these partitions are held, each from its position on. */
  begin(positions: readonly Position[]): void {
    this.#epoch += 1;
    this.#size = 0;
    this.#lanes.clear();
    for (const { topic, partition, nextOffset } of positions) {
      this.#lanes.set(partitionKey(topic, partition), { takenOffset: nextOffset, entries: [] });
    }
  }

  /** Where the next delivery of a partition must start; undefined when it is not held. */
  takenOffset(topic: string, partition: number): number | undefined {
    return this.#lanes.get(partitionKey(topic, partition))?.takenOffset;
  }

  /** Enters the offsets from the partition's position up to `nextOffset` (exclusive). */
  take(topic: string, partition: number, nextOffset: number): LedgerEntry<R> {
    const lane = this.#lanes.get(partitionKey(topic, partition));
    invariant(lane !== undefined, `${topic}/${partition} has no position`);
    const entry: MutableEntry<R> = {
      topic,
      partition,
      epoch: this.#epoch,
      firstOffset: lane.takenOffset,
      nextOffset,
      result: undefined,
    };
    lane.entries.push(entry);
    lane.takenOffset = nextOffset;
    this.#size += 1;
    return entry;
  }

  /**
   * Resolves an entry of the present epoch.
   * @returns the entries that can be handed on now, in offset order
   */
  resolve(entry: LedgerEntry<R>, result: R): LedgerEntry<R>[] {
    invariant(entry.epoch === this.#epoch, 'an entry of an older epoch cannot be resolved');
    const lane = this.#lanes.get(partitionKey(entry.topic, entry.partition));
    const own = lane?.entries.find((candidate) => candidate === entry);
    invariant(lane !== undefined && own !== undefined, 'only an open entry can be resolved');
    own.result = result;
    const ready: LedgerEntry<R>[] = [];
    for (let head = lane.entries[0]; head?.result !== undefined; head = lane.entries[0]) {
      lane.entries.shift();
      ready.push(head);
    }
    this.#size -= ready.length;
    return ready;
  }
}
