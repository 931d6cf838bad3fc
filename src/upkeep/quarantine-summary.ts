/** Counts what is in the quarantine by reason, with a few examples of each, reading every line once. */

import type { OffsetSet } from '../core/offset-set.ts';
import { partitionKey } from '../core/offsets.ts';
import type { QuarantineEntry } from '../core/quarantine-entry.ts';
import { parseQuarantineEntry } from '../storage/quarantine-entry.ts';
import { loadReplayJournal, replayedOffsets } from '../storage/replay-journal.ts';
import { linesOf, quarantinePieces } from './quarantine-pieces.ts';
import type { Subject } from './settled-view.ts';

/** Of every reason so many entries are shown, each with another detail. */
const EXAMPLES = 3;

interface QuarantineExample {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly detail: string;
}

export interface ReasonSummary {
  /** Lines of the quarantine; one stands for several records when a whole batch could not be read. */
  entries: number;
  records: number;
  /** Of the records, those that a replay has stored or left out for their level. */
  replayed: number;
  /** Kafka's timestamps, ISO 8601; null when no record has one. */
  first: string | null;
  last: string | null;
  readonly examples: QuarantineExample[];
}

export interface QuarantineSummary {
  readonly entries: number;
  readonly records: number;
  readonly replayed: number;
  /** Lines that are not entries: somebody has edited the file. */
  readonly unreadable: number;
  readonly reasons: Readonly<Record<string, ReasonSummary>>;
  readonly instances: readonly string[];
}

/** A line of the quarantine, and what it says. */
export interface QuarantineLine {
  readonly line: Buffer;
  /** Undefined when it is not an entry. */
  readonly entry: QuarantineEntry | undefined;
}

/** All lines of all instances, oldest first within each. */
export async function* quarantineLines(subjects: readonly Subject[]): AsyncGenerator<QuarantineLine> {
  for (const { directory, files } of subjects) {
    for (const piece of quarantinePieces(directory, files)) {
      for await (const lines of linesOf(piece)) {
        for (const line of lines) yield { line, entry: parseQuarantineEntry(line) };
      }
    }
  }
}

/** @throws ServiceError FILE_CORRUPT when what replays have noted down is damaged */
export async function summariseQuarantine(subjects: readonly Subject[]): Promise<QuarantineSummary> {
  const done = replayedOffsets(subjects.map(({ directory }) => loadReplayJournal(directory)));
  const reasons = new Map<string, ReasonSummary>();
  let unreadable = 0;
  for await (const { entry } of quarantineLines(subjects)) {
    if (entry === undefined) unreadable += 1;
    else add(reasons, entry, done);
  }
  const all = [...reasons.values()];
  return {
    entries: all.reduce((sum, { entries }) => sum + entries, 0),
    records: all.reduce((sum, { records }) => sum + records, 0),
    replayed: all.reduce((sum, { replayed }) => sum + replayed, 0),
    unreadable,
    reasons: Object.fromEntries([...reasons].sort(([, a], [, b]) => b.records - a.records)),
    instances: subjects.map(({ name }) => name),
  };
}

function add(
  reasons: Map<string, ReasonSummary>,
  entry: QuarantineEntry,
  done: ReadonlyMap<string, OffsetSet>,
): void {
  const { reason, topic, partition, offset, lastOffset, detail, records, timestamp } = entry;
  const summary = reasons.get(reason) ?? newSummary();
  reasons.set(reason, summary);
  summary.entries += 1;
  summary.records += records;
  for (const { from, to } of done.get(partitionKey(topic, partition))?.within(offset, lastOffset + 1) ?? []) {
    summary.replayed += to - from;
  }
  if (timestamp >= 0) {
    const time = new Date(timestamp).toISOString();
    if (summary.first === null || time < summary.first) summary.first = time;
    if (summary.last === null || time > summary.last) summary.last = time;
  }
  const { examples } = summary;
  if (examples.length < EXAMPLES && !examples.some((known) => known.detail === detail)) {
    examples.push({ topic, partition, offset, detail });
  }
}

function newSummary(): ReasonSummary {
  return { entries: 0, records: 0, replayed: 0, first: null, last: null, examples: [] };
}
