/**
 * What became of every offset of every partition, as far as it is in the files.
 *
 * Invariant: units of a partition arrive in offset order without gap or overlap; anything else is a
 * bug in the ingest loop and stops the process before it can do harm.
 */
import { invariant } from '../core/invariant.ts';
import type { WriteUnit } from '../core/messages.ts';
import { type PartitionRange, type Position, parsePartitionKey, partitionKey } from '../core/offsets.ts';
import type { Checkpoint, LostRange, PartitionCheckpoint } from '../storage/checkpoint.ts';
import { addedRanges } from '../storage/coverage.ts';
import { addTotals, NO_TOTALS, type OffsetRange, type RecordTotals } from '../storage/facts.ts';

interface Account {
  readonly firstOffset: number;
  nextOffset: number;
  totals: RecordTotals;
  readonly lost: LostRange[];
  readonly uncertain: OffsetRange[];
}

export class PartitionAccounts {
  readonly #accounts = new Map<string, Account>();

  constructor(checkpoint: Readonly<Record<string, PartitionCheckpoint>>) {
    for (const [key, entry] of Object.entries(checkpoint)) {
      this.#accounts.set(key, {
        firstOffset: entry.first_offset,
        nextOffset: entry.next_offset,
        totals: entry,
        lost: [...entry.lost],
        uncertain: [...entry.uncertain],
      });
    }
  }

  /** Counts a unit that was appended; the first unit of a partition sets where its account begins. */
  add(unit: WriteUnit): void {
    const account = this.#open(unit.topic, unit.partition, unit.firstOffset);
    invariant(
      account.nextOffset === unit.firstOffset,
      `unit of ${unit.topic}/${unit.partition} starts at ${unit.firstOffset}, expected ${account.nextOffset}`,
    );
    invariant(
      unit.nextOffset >= unit.firstOffset,
      `unit of ${unit.topic}/${unit.partition} ends before it starts`,
    );
    account.nextOffset = unit.nextOffset;
    account.totals = addTotals(account.totals, unit.counts);
  }

  /** Records offsets [from, to) that can never be read. */
  skip(topic: string, partition: number, { from, to, reason }: LostRange): void {
    const account = this.#open(topic, partition, from);
    invariant(
      account.nextOffset === from,
      `offsets of ${topic}/${partition} are given up from ${from} on, expected ${account.nextOffset}`,
    );
    account.lost.push({ from, to, reason });
    account.nextOffset = to;
  }

  /** Records offsets of ours that another instance may hold too. */
  doubt({ topic, partition, from, to }: PartitionRange): void {
    this.#open(topic, partition, from).uncertain.push({ from, to });
  }

  positions(): Position[] {
    return positionsOf({ partitions: this.checkpoint() });
  }

  /** Next offset by partition key. */
  nextOffsets(): Record<string, number> {
    return Object.fromEntries([...this.#accounts].map(([key, account]) => [key, account.nextOffset]));
  }

  /** What was accounted for since each partition stood at `start`. */
  rangesSince(start: Readonly<Record<string, number>>): Record<string, OffsetRange> {
    const ranges: Record<string, OffsetRange> = {};
    for (const [key, account] of this.#accounts) {
      const from = start[key] ?? account.firstOffset;
      if (from !== account.nextOffset) ranges[key] = { from, to: account.nextOffset };
    }
    return ranges;
  }

  checkpoint(): Record<string, PartitionCheckpoint> {
    return Object.fromEntries(
      [...this.#accounts].map(([key, account]) => [
        key,
        {
          first_offset: account.firstOffset,
          next_offset: account.nextOffset,
          consumed: account.totals.consumed,
          written: account.totals.written,
          filtered: account.totals.filtered,
          quarantined: account.totals.quarantined,
          // Copies, since a checkpoint may be what the files go back to.
          lost: [...account.lost],
          uncertain: [...account.uncertain],
        },
      ]),
    );
  }

  #open(topic: string, partition: number, firstOffset: number): Account {
    const key = partitionKey(topic, partition);
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = { firstOffset, nextOffset: firstOffset, totals: NO_TOTALS, lost: [], uncertain: [] };
      this.#accounts.set(key, account);
    }
    return account;
  }
}

/** How far the files of a checkpoint go. */
export function positionsOf({ partitions }: Pick<Checkpoint, 'partitions'>): Position[] {
  return Object.entries(partitions).map(([key, { next_offset }]) => ({
    ...parsePartitionKey(key),
    nextOffset: next_offset,
  }));
}

/**
 * Where what the newest checkpoint added begins: where the earlier one ended, or where the partition was
 * taken over since.
 */
export function positionsBefore(
  newest: Pick<Checkpoint, 'partitions'>,
  earlier: Pick<Checkpoint, 'partitions'>,
): Position[] {
  return Object.entries(newest.partitions).map(([key, entry]) => ({
    ...parsePartitionKey(key),
    nextOffset: addedRanges(entry, earlier.partitions[key]).at(-1)?.from ?? entry.next_offset,
  }));
}
