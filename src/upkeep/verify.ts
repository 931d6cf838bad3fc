/**
 * Proves, from the files alone, what became of every consumed offset: stored, quarantined or below the
 * minimum level. Over a root that several instances share, it also proves that every offset is in the
 * files of exactly one of them.
 */
import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../core/errors.ts';
import type { LostRange, PartitionCheckpoint } from '../storage/checkpoint.ts';
import { coverageProblems } from '../storage/coverage.ts';
import { addTotals, NO_TOTALS, type OffsetRange, type RecordTotals } from '../storage/facts.ts';
import type { InstanceDirectory } from '../storage/instances.ts';
import { loadReplayJournal, type ReplayJournal } from '../storage/replay-journal.ts';
import { readRetentionLedger } from '../storage/retention-ledger.ts';
import { type FrozenView, freeze } from './frozen-view.ts';
import { replayedTwice } from './replay-check.ts';
import { instancesOf, type Subject, subjectsOf } from './settled-view.ts';
import {
  availableOffsets,
  bytesToVerify,
  type DirectoryReport,
  type RemovedReport,
  Verification,
} from './verify-directory.ts';

interface PartitionReport extends RecordTotals {
  readonly first_offset: number;
  readonly next_offset: number;
  /** Offsets without a data record: transaction markers, aborted or compacted records. */
  readonly absent: number;
  /** Offsets that these files do not hold, with the reason. */
  readonly lost: readonly LostRange[];
  /** Offsets that these files hold and another instance may hold too. */
  readonly uncertain: readonly OffsetRange[];
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly records: number;
  readonly quarantined: number;
  /** Of the quarantined, those that a replay has stored since. */
  readonly replayed: number;
  readonly filtered: number;
  readonly partitions: Readonly<Record<string, PartitionReport>>;
  /** What is not in the archive on purpose: removed by retention, or never restored. */
  readonly removed: RemovedReport;
  /** Segments that were removed and that an interrupted deletion left; nothing wrong. */
  readonly leftovers: readonly string[];
  /** The directories that were checked. */
  readonly instances: readonly string[];
  readonly problems: readonly string[];
}

interface Checked extends Subject {
  readonly journal: ReplayJournal;
}

/** @param onProgress share of the bytes that were read, 0 to 1 */
export async function verify(
  root: string,
  onProgress: (share: number) => void = () => undefined,
): Promise<VerifyReport> {
  const instances = instancesOf(root);
  const views: FrozenView[] = [];
  try {
    // Before the files, so that they hold everything that the journals speak of.
    const journals = instances.map(({ directory }) => loadReplayJournal(directory));
    const problems = [...replayedTwice(journals), ...(await freezeAll(instances, views))];
    const subjects = subjectsOf(instances, views).map(
      (subject, index): Checked => ({ ...subject, journal: journals[index] as ReplayJournal }),
    );
    const progress = progressOver(subjects, onProgress);
    const reports: DirectoryReport[] = [];
    for (const subject of subjects) reports.push(await verifyDirectory(subject, progress));
    return merge(subjects, reports, problems);
  } catch (error) {
    return merge([], [], [messageOf(error)]);
  } finally {
    for (const view of views) view.close();
  }
}

/** What is removed during a verification would look missing: then it is done once more. */
async function verifyDirectory(
  { directory, files, journal }: Checked,
  onBytes: (count: number) => void,
): Promise<DirectoryReport> {
  for (let attempt = 1; ; attempt += 1) {
    const ledger = readRetentionLedger(directory);
    const report = await new Verification(directory, files, { journal, ledger }, onBytes).run();
    if (attempt === MAX_TRIES || isDeepStrictEqual(ledger, readRetentionLedger(directory))) return report;
  }
}

const MAX_TRIES = 20;
const TRY_AGAIN_MS = 100;

/**
 * Holds all instances still. They are not held at the same moment, so a partition that moves meanwhile
 * looks torn; what stays torn after some tries is a problem.
 * @param views receives one view for each instance
 * @returns the problems between instances
 */
async function freezeAll(instances: readonly InstanceDirectory[], views: FrozenView[]): Promise<string[]> {
  for (let attempt = 1; ; attempt += 1) {
    for (const view of views.splice(0)) view.close();
    for (const { directory } of instances) views.push(await freeze(directory));
    const holdings = subjectsOf(instances, views).map(({ name, directory, files }) => ({
      name,
      partitions: files.checkpoint.partitions,
      absent: readRetentionLedger(directory).absent ?? {},
    }));
    const problems = instances.length > 1 ? coverageProblems(holdings) : [];
    if (problems.length === 0 || attempt === MAX_TRIES) return problems;
    await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
  }
}

function progressOver(
  subjects: readonly Checked[],
  onProgress: (share: number) => void,
): (count: number) => void {
  const total = subjects.reduce(
    (sum, { directory, files, journal }) => sum + bytesToVerify(directory, files, journal),
    0,
  );
  let read = 0;
  return (count) => {
    read += count;
    onProgress(total === 0 ? 1 : Math.min(1, read / total));
  };
}

function merge(
  subjects: readonly Subject[],
  reports: readonly DirectoryReport[],
  problems: readonly string[],
): VerifyReport {
  const all = [...problems];
  const partitions: Record<string, PartitionReport> = {};
  let totals = NO_TOTALS;
  reports.forEach((report, index) => {
    const prefix = subjects.length > 1 ? `${subjects[index]?.name}: ` : '';
    all.push(...report.problems.map((problem) => `${prefix}${problem}`));
    for (const [key, entry] of Object.entries(report.partitions)) {
      totals = addTotals(totals, entry);
      partitions[key] = joined(partitions[key], reportOf(entry));
    }
  });
  return {
    ok: all.length === 0,
    records: reports.reduce((sum, { records }) => sum + records, 0),
    quarantined: totals.quarantined,
    replayed: reports.reduce((sum, { replayed }) => sum + replayed, 0),
    filtered: totals.filtered,
    removed: {
      segments: reports.reduce((sum, { removed }) => sum + removed.segments, 0),
      records: reports.reduce((sum, { removed }) => sum + removed.records, 0),
    },
    leftovers: reports.flatMap(({ leftovers }) => leftovers),
    partitions: subjects.length > 1 ? withoutHandOvers(partitions) : partitions,
    instances: subjects.map(({ name }) => name),
    problems: all,
  };
}

function reportOf(entry: PartitionCheckpoint): PartitionReport {
  return { ...entry, absent: availableOffsets(entry) - entry.consumed };
}

function joined(before: PartitionReport | undefined, entry: PartitionReport): PartitionReport {
  if (before === undefined) return entry;
  return {
    ...addTotals(before, entry),
    first_offset: Math.min(before.first_offset, entry.first_offset),
    next_offset: Math.max(before.next_offset, entry.next_offset),
    absent: before.absent + entry.absent,
    lost: [...before.lost, ...entry.lost],
    uncertain: [...before.uncertain, ...entry.uncertain],
  };
}

/** With all instances in view, what one of them left to another is not worth telling. */
function withoutHandOvers(
  partitions: Readonly<Record<string, PartitionReport>>,
): Record<string, PartitionReport> {
  return Object.fromEntries(
    Object.entries(partitions).map(([key, entry]) => [
      key,
      { ...entry, lost: entry.lost.filter(({ reason }) => reason !== 'stored_by_others') },
    ]),
  );
}
