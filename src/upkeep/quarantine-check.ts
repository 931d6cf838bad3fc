/** Checks the quarantine: every entry stands for records of a known partition, none for the same twice. */
import { partitionKey } from '../core/offsets.ts';
import type { PartitionCheckpoint } from '../storage/checkpoint.ts';

interface Entry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** For a batch that could not be read: its last offset, and how many records it stands for. */
  readonly last_offset?: number;
  readonly records?: number;
}

export class QuarantineCheck {
  readonly #records = new Map<string, number>();
  /** Last offset quarantined so far; entries of a partition stand in offset order. */
  readonly #last = new Map<string, number>();
  readonly #problems: string[] = [];

  line(line: Buffer): void {
    let entry: Entry;
    try {
      entry = JSON.parse(line.toString()) as Entry;
    } catch {
      this.#problems.push('quarantine.jsonl holds a line that is not JSON.');
      return;
    }
    const key = partitionKey(entry.topic, entry.partition);
    const last = this.#last.get(key);
    if (last !== undefined && entry.offset <= last) {
      this.#problems.push(`The quarantine holds offset ${entry.offset} of ${key} twice or out of order.`);
    }
    this.#last.set(key, entry.last_offset ?? entry.offset);
    this.#records.set(key, (this.#records.get(key) ?? 0) + (entry.records ?? 1));
  }

  problems(partitions: Readonly<Record<string, PartitionCheckpoint>>): string[] {
    const problems = [...this.#problems];
    for (const key of new Set([...this.#records.keys(), ...Object.keys(partitions)])) {
      const found = this.#records.get(key) ?? 0;
      const recorded = partitions[key]?.quarantined ?? 0;
      if (found !== recorded) {
        problems.push(`The quarantine holds ${found} records of ${key}, ${recorded} were recorded.`);
      }
    }
    return problems;
  }
}
