/**
 * Follows each partition's offsets through the segments of `service_logs`: every range must begin where
 * the one before ended, apart from ranges that were given up and recorded as such.
 */
import type { ActiveFileCheckpoint, PartitionCheckpoint } from '../storage/checkpoint.ts';
import { addTotals, NO_TOTALS, type RecordTotals, type SegmentFacts } from '../storage/facts.ts';
import type { RemovedSegments } from '../storage/retention-ledger.ts';

export class OffsetChain {
  readonly #partitions: Readonly<Record<string, PartitionCheckpoint>>;
  readonly #next = new Map<string, number>();
  readonly #problems: string[] = [];
  #totals: RecordTotals = NO_TOTALS;

  /** @param removed the segments that are gone on purpose, and come before all that are there */
  constructor(partitions: Readonly<Record<string, PartitionCheckpoint>>, removed?: RemovedSegments) {
    this.#partitions = partitions;
    for (const [key, entry] of Object.entries(partitions)) this.#next.set(key, entry.first_offset);
    this.#totals = removed?.totals ?? NO_TOTALS;
    for (const [key, { from, to }] of Object.entries(removed?.offsets ?? {})) {
      this.#follow('The removed segments', key, from, to);
    }
  }

  /** Adds the next closed segment. */
  segment(path: string, facts: SegmentFacts): void {
    const { accounts } = facts;
    if (accounts === undefined) {
      this.#problems.push(`${path}: its facts say nothing of offsets.`);
      return;
    }
    this.#totals = addTotals(this.#totals, accounts.totals);
    for (const [key, { from, to }] of Object.entries(accounts.offsets)) this.#follow(path, key, from, to);
  }

  /** Adds the active segment, whose ranges end at the checkpoint. */
  active(state: ActiveFileCheckpoint): void {
    this.#totals = addTotals(this.#totals, state.totals);
    for (const [key, entry] of Object.entries(this.#partitions)) {
      const from = state.start_offsets[key] ?? entry.first_offset;
      this.#follow('service_logs.jsonl', key, from, entry.next_offset);
    }
  }

  problems(): string[] {
    const problems = [...this.#problems];
    for (const [key, entry] of Object.entries(this.#partitions)) {
      const reached = this.#next.get(key) ?? entry.first_offset;
      if (reached !== entry.next_offset) {
        problems.push(
          `${key}: the segments end at offset ${reached}, the checkpoint at ${entry.next_offset}.`,
        );
      }
    }
    for (const name of ['consumed', 'written', 'filtered', 'quarantined'] as const) {
      const total = Object.values(this.#partitions).reduce((sum, entry) => sum + entry[name], 0);
      if (this.#totals[name] !== total) {
        problems.push(
          `The segments account for ${this.#totals[name]} records ${name}, the checkpoint for ${total}.`,
        );
      }
    }
    return problems;
  }

  #follow(path: string, key: string, from: number, to: number): void {
    const expected = this.#next.get(key);
    if (expected !== undefined && from !== expected) {
      const what =
        from > expected
          ? `offsets ${expected} to ${from - 1} are missing`
          : `offsets ${from} to ${expected - 1} are there twice`;
      this.#problems.push(`${path}: of ${key}, ${what}.`);
    }
    this.#next.set(key, to);
  }
}
