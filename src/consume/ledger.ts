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
import { partitionKey, type TopicPartition } from '../core/offsets.ts';

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
  /** Where the next entry to leave starts: everything before was handed on. */
  handedOffset: number;
  readonly entries: MutableEntry<R>[];
}

export class Ledger<R extends object> {
  readonly #lanes = new Map<string, Lane<R>>();
  #assigned: ReadonlySet<string> = new Set();
  #epoch = 0;
  #size = 0;

  get epoch(): number {
    return this.#epoch;
  }

  /** Entries taken and not yet handed on. */
  get size(): number {
    return this.#size;
  }

  /**
   * Starts an epoch with the given partitions. A partition that was held in the epoch before goes on
   * where its last entry was handed on; the others start at `positions`, or, where that says nothing,
   * wherever their first delivery does.
   * @returns where to read from, for every partition whose position is known
   */
  begin(assigned: readonly TopicPartition[], positions: ReadonlyMap<string, number>): Map<string, number> {
    const before = new Map([...this.#lanes].map(([key, lane]) => [key, lane.handedOffset]));
    this.#epoch += 1;
    this.#size = 0;
    this.#lanes.clear();
    this.#assigned = new Set(assigned.map(({ topic, partition }) => partitionKey(topic, partition)));
    const known = new Map<string, number>();
    for (const { topic, partition } of assigned) {
      const key = partitionKey(topic, partition);
      const offset = before.get(key) ?? positions.get(key);
      if (offset === undefined) continue;
      this.start(topic, partition, offset);
      known.set(key, offset);
    }
    return known;
  }

  /** Whether a partition belongs to the present epoch, with or without a position. */
  holds(topic: string, partition: number): boolean {
    return this.#assigned.has(partitionKey(topic, partition));
  }

  /** Sets where a partition without a position begins. */
  start(topic: string, partition: number, offset: number): void {
    const key = partitionKey(topic, partition);
    invariant(this.#assigned.has(key), `${key} is not assigned to us`);
    invariant(!this.#lanes.has(key), `${key} has a position already`);
    this.#lanes.set(key, { takenOffset: offset, handedOffset: offset, entries: [] });
  }

  /** Where the next delivery of a partition must start; undefined when it has no position yet. */
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
      lane.handedOffset = head.nextOffset;
      ready.push(head);
    }
    this.#size -= ready.length;
    return ready;
  }
}
