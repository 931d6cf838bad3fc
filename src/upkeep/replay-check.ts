/**
 * Checks what replays have stored: every segment that a run lists is there as it was written, and every
 * offset that it took stands in the quarantine and in no other run.
 */
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { OffsetSet } from '../core/offset-set.ts';
import type { SegmentFacts } from '../storage/facts.ts';
import { SEGMENT_SUFFIX } from '../storage/layout.ts';
import {
  type ReplayJournal,
  type ReplayRun,
  type ReplaySegment,
  replayedOffsets,
} from '../storage/replay-journal.ts';
import { readSegmentFacts } from '../storage/segment-facts.ts';
import { bytesOfClosed, checkClosed } from './closed-check.ts';

export class ReplayCheck {
  readonly #directory: string;
  readonly #journal: ReplayJournal;
  readonly #taken: ReadonlyMap<string, OffsetSet>;
  /** Those of the taken that the quarantine holds. */
  readonly #found = new Map<string, OffsetSet>();
  readonly #problems: string[] = [];

  constructor(directory: string, journal: ReplayJournal) {
    this.#directory = directory;
    this.#journal = journal;
    this.#taken = replayedOffsets([journal]);
  }

  /** Records that replays have stored. */
  get records(): number {
    return this.#journal.runs.reduce((sum, run) => sum + storedBy(run), 0);
  }

  /** The quarantine holds an entry for the offsets [from, to). */
  quarantined(key: string, from: number, to: number): void {
    for (const part of this.#taken.get(key)?.within(from, to) ?? []) {
      const found = this.#found.get(key) ?? new OffsetSet();
      found.add(part.from, part.to);
      this.#found.set(key, found);
    }
  }

  /** Reads all segments. */
  async segments(onBytes: (count: number) => void): Promise<void> {
    for (const run of this.#journal.runs) {
      for (const segment of run.segments) await this.#segment(segment, onBytes);
      const written = run.segments.find(({ file }) => file === 'service_logs')?.records ?? 0;
      if (written !== storedBy(run)) {
        this.#problems.push(
          `The replay of ${run.finished_at} has ${written} lines, but accounts for ${storedBy(run)} records.`,
        );
      }
    }
  }

  /** @param isComplete whether all of the quarantine is there; retention may have removed its oldest part */
  problems(isComplete: boolean): string[] {
    const missing = [...this.#taken].flatMap(([key, taken]) => {
      const count = taken.size - (this.#found.get(key)?.size ?? 0);
      return count === 0 || !isComplete
        ? []
        : [`${count} records of ${key} were replayed that are not in the quarantine.`];
    });
    return [...this.#problems, ...missing];
  }

  async #segment(segment: ReplaySegment, onBytes: (count: number) => void): Promise<void> {
    const base = join(this.#directory, segment.base);
    const path = base + SEGMENT_SUFFIX.facts;
    try {
      const readFacts = (): SegmentFacts => readSegmentFacts(base);
      const { problems } = await checkClosed(base, { readFacts, expected: segment, lines: { onBytes } });
      this.#problems.push(...problems);
    } catch (error) {
      this.#problems.push(`${path} of a replay cannot be read (${messageOf(error)}).`);
    }
  }
}

function storedBy({ partitions }: ReplayRun): number {
  return Object.values(partitions).reduce((sum, { stored }) => sum + OffsetSet.decode(stored).size, 0);
}

/** Bytes that the check will read. */
export function bytesOfReplays(directory: string, { runs }: ReplayJournal): number {
  const segments = runs.flatMap((run) => run.segments);
  return segments.reduce((bytes, { base }) => bytes + bytesOfClosed(join(directory, base)), 0);
}

/** Offsets that two runs have taken, of one instance or of two: one sentence for each partition. */
export function replayedTwice(journals: readonly ReplayJournal[]): string[] {
  const taken = new Map<string, OffsetSet>();
  const twice = new Map<string, number>();
  for (const run of journals.flatMap(({ runs }) => runs)) {
    for (const [key, { stored, filtered }] of Object.entries(run.partitions)) {
      const before = taken.get(key) ?? new OffsetSet();
      taken.set(key, before);
      for (const offsets of [OffsetSet.decode(stored), OffsetSet.decode(filtered)]) {
        const { size } = before;
        before.addAll(offsets);
        const repeated = size + offsets.size - before.size;
        if (repeated > 0) twice.set(key, (twice.get(key) ?? 0) + repeated);
      }
    }
  }
  return [...twice].map(([key, count]) => `${count} records of ${key} were replayed twice.`);
}
