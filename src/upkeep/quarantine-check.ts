/** Checks the quarantine: every entry stands for records of a known partition, none for the same twice. */

import { partitionKey } from '../core/offsets.ts';
import type { PartitionCheckpoint } from '../storage/checkpoint.ts';
import { parseQuarantineEntry } from '../storage/quarantine-entry.ts';
import type { RemovedSegments } from '../storage/retention-ledger.ts';

export class QuarantineCheck {
  readonly #partitions: Readonly<Record<string, PartitionCheckpoint>>;
  readonly #records = new Map<string, number>();
  /** Last offset quarantined so far; entries of a partition stand in offset order. */
  readonly #last = new Map<string, number>();
  /** How often each partition's offsets began anew, because its topic was created again. */
  readonly #restarts = new Map<string, number>();
  readonly #onEntry: (key: string, from: number, to: number) => void;
  readonly #problems: string[] = [];

  /**
   * @param onEntry called with the offsets [from, to) that an entry stands for
   * @param removed the entries that are gone on purpose, and come before all that are there
   */
  constructor(
    partitions: Readonly<Record<string, PartitionCheckpoint>>,
    onEntry: (key: string, from: number, to: number) => void,
    removed?: RemovedSegments,
  ) {
    this.#partitions = partitions;
    this.#onEntry = onEntry;
    for (const [key, { records, last_offset }] of Object.entries(removed?.quarantine ?? {})) {
      this.#records.set(key, records);
      if (last_offset !== null) this.#last.set(key, last_offset);
    }
  }

  line(line: Buffer): void {
    const entry = parseQuarantineEntry(line);
    if (entry === undefined) {
      this.#problems.push('quarantine.jsonl holds a line that is no entry.');
      return;
    }
    const { offset, lastOffset, records } = entry;
    const key = partitionKey(entry.topic, entry.partition);
    const last = this.#last.get(key);
    if (last !== undefined && offset <= last && !this.#restarted(key, last, offset)) {
      this.#problems.push(`The quarantine holds offset ${offset} of ${key} twice or out of order.`);
    }
    this.#last.set(key, lastOffset);
    this.#records.set(key, (this.#records.get(key) ?? 0) + records);
    this.#onEntry(key, offset, lastOffset + 1);
  }

  problems(): string[] {
    const problems = [...this.#problems];
    for (const key of new Set([...this.#records.keys(), ...Object.keys(this.#partitions)])) {
      const found = this.#records.get(key) ?? 0;
      const recorded = this.#partitions[key]?.quarantined ?? 0;
      if (found !== recorded) {
        problems.push(`The quarantine holds ${found} records of ${key}, ${recorded} were recorded.`);
      }
    }
    return problems;
  }

  /** Whether the step back from `last` to `offset` is one that the checkpoint knows of; each explains one. */
  #restarted(key: string, last: number, offset: number): boolean {
    const backwards = this.#partitions[key]?.lost.filter(({ from, to }) => to < from) ?? [];
    const seen = this.#restarts.get(key) ?? 0;
    const index = backwards.findIndex(({ from, to }, at) => at >= seen && last < from && offset >= to);
    if (index === -1) return false;
    this.#restarts.set(key, index + 1);
    return true;
  }
}
