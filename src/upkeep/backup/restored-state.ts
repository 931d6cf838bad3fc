/**
 * The checkpoint and the ledger of restored files. Pure.
 *
 * The checkpoint is the one of the moment at which the last restored segment of service_logs was closed: that file
 * is empty, the others are as far as they were, and each partition ends where that segment ends. It begins where
 * the first restored segment begins. The ledger says what is not there: segments before the first restored one, and quarantine
 * entries whose segment ended later or earlier than the records around them.
 */
import { ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import type {
  ActiveFileCheckpoint,
  Checkpoint,
  LostRange,
  PartitionCheckpoint,
} from '../../storage/checkpoint.ts';
import { formatChecksum } from '../../storage/checksum.ts';
import { addTotals, NO_FACTS, NO_TOTALS, type OffsetRange, type RecordTotals } from '../../storage/facts.ts';
import type { RemovedSegments, RetentionLedger } from '../../storage/retention-ledger.ts';
import type { DescribedSegment, InstancePlan } from './restore-plan.ts';

export interface RestoredState {
  readonly checkpoint: Checkpoint;
  readonly ledger: RetentionLedger;
}

export interface RestoredFiles {
  readonly plan: InstancePlan['files'];
  /** As it was at the last backup; undefined when the store has none. */
  readonly original: Checkpoint | undefined;
  /** Names the set of files when the original is not known. */
  readonly directoryId: string;
  readonly instance: string;
  /** Records that the restored quarantine entries stand for, by partition. */
  readonly quarantined: Readonly<Record<string, number>>;
  /** Offset after the last that any instance is known to have read, by partition. */
  readonly ends: Readonly<Record<string, number>>;
  readonly now: number;
}

export function restoredState(files: RestoredFiles): RestoredState {
  const partitions = partitionsOf(files);
  const { original, now } = files;
  const sequence = original?.sequence ?? 1;
  const checkpoint: Checkpoint = {
    version: 2,
    instance: original?.instance ?? files.instance,
    directory_id: original?.directory_id ?? files.directoryId,
    sequence,
    acknowledged: sequence,
    written_at: new Date(now).toISOString(),
    partitions,
    files: activeFiles(files.plan, partitions, now),
    pending_renames: [],
    pending_returns: [],
  };
  return { checkpoint, ledger: ledgerOf(files, partitions) };
}

type Partitions = Readonly<Record<string, PartitionCheckpoint>>;

function partitionsOf({ plan, original }: RestoredFiles): Partitions {
  const ranges = new Map<string, OffsetRange>();
  const totals = new Map<string, RecordTotals>();
  for (const segment of plan.service_logs?.segments ?? []) {
    for (const [key, { from, to }] of Object.entries(segment.facts.accounts?.offsets ?? {})) {
      ranges.set(key, { from: ranges.get(key)?.from ?? from, to });
    }
    for (const [key, counts] of Object.entries(totalsOf(segment))) {
      totals.set(key, addTotals(totals.get(key) ?? NO_TOTALS, counts));
    }
  }
  return Object.fromEntries(
    [...ranges].map(([key, range]) => {
      const counts = totals.get(key) ?? NO_TOTALS;
      return [key, partitionOf(range, counts, original?.partitions[key])];
    }),
  );
}

/** How the records of a segment ended, by partition. */
function totalsOf({ facts, base }: DescribedSegment): Readonly<Record<string, RecordTotals>> {
  const { accounts } = facts;
  if (accounts?.partitions !== undefined) return accounts.partitions;
  const [key, ...others] = Object.keys(accounts?.offsets ?? {});
  if (accounts !== undefined && key !== undefined && others.length === 0) return { [key]: accounts.totals };
  throw new ServiceError(
    'BACKUP_DIFFERS',
    `${base} was opened by an early build that did not count by partition, so no checkpoint can be made for it: download its objects by other means.`,
    { base },
  );
}

function partitionOf(
  { from, to }: OffsetRange,
  counts: RecordTotals,
  original: PartitionCheckpoint | undefined,
): PartitionCheckpoint {
  const isInside = (range: OffsetRange): boolean => range.from >= from && range.to <= to;
  return {
    first_offset: from,
    next_offset: to,
    ...counts,
    lost: original === undefined ? [] : lostBetween(original, from, to, counts.consumed),
    uncertain: original?.uncertain.filter(isInside) ?? [],
  };
}

/**
 * The ranges given up between two positions of a partition. Where its topic was created again, the same offset
 * stands for several positions; then those count that leave just enough offsets for the consumed records.
 */
export function lostBetween(
  { first_offset, next_offset, lost }: PartitionCheckpoint,
  from: number,
  to: number,
  consumed: number,
): readonly LostRange[] {
  const starts = [first_offset, ...lost.map((jump) => jump.to)];
  const ends = [...lost.map((jump) => jump.from), next_offset];
  const legsWith = (offset: number): number[] =>
    starts.flatMap((start, leg) => (start <= offset && offset <= (ends[leg] ?? start) ? [leg] : []));
  let best: { readonly jumps: readonly LostRange[]; readonly offsets: number } | undefined;
  for (const first of legsWith(from)) {
    for (const last of legsWith(to)) {
      const jumps = lost.slice(first, last);
      const offsets = jumps.reduce((sum, jump) => sum - (jump.to - jump.from), to - from);
      if (last >= first && offsets >= consumed && offsets < (best?.offsets ?? Infinity))
        best = { jumps, offsets };
    }
  }
  return best?.jumps ?? [];
}

function activeFiles(plan: InstancePlan['files'], partitions: Partitions, now: number): Checkpoint['files'] {
  const positions = Object.fromEntries(
    Object.entries(partitions).map(([key, { next_offset }]) => [key, next_offset]),
  );
  const files: Partial<Record<LogFile, ActiveFileCheckpoint>> = {};
  for (const file of LOG_FILES) {
    const head = plan[file]?.head?.position;
    files[file] = {
      number: plan[file]?.next ?? 1,
      opened_at: new Date(now).toISOString(),
      length: head?.length ?? 0,
      crc32c: head?.crc32c ?? formatChecksum(0),
      records: head?.records ?? 0,
      facts: NO_FACTS,
      start_offsets: file === 'service_logs' ? positions : {},
      totals: NO_TOTALS,
      partition_totals: {},
    };
  }
  return files;
}

function ledgerOf(files: RestoredFiles, partitions: Partitions): RetentionLedger {
  const removed: Partial<Record<LogFile, RemovedSegments>> = {};
  for (const file of LOG_FILES) {
    const plan = files.plan[file];
    const through = plan === undefined ? 0 : (plan.segments[0]?.number ?? plan.next) - 1;
    if (through > 0) removed[file] = { removed_through: through, records: 0, bytes: 0 };
  }
  const quarantine = quarantineBalance(files, partitions);
  if (Object.keys(quarantine).length > 0) {
    removed.quarantine = { removed_through: 0, records: 0, bytes: 0, ...removed.quarantine, quarantine };
  }
  return { version: 1, files: removed, absent: absentOf(files, partitions) };
}

/** Entries that the restored segments speak of and the restored quarantine does not hold, or the reverse. */
function quarantineBalance(
  { quarantined }: RestoredFiles,
  partitions: Partitions,
): NonNullable<RemovedSegments['quarantine']> {
  const keys = new Set([...Object.keys(quarantined), ...Object.keys(partitions)]);
  const balances = [...keys].map(
    (key) => [key, (partitions[key]?.quarantined ?? 0) - (quarantined[key] ?? 0)] as const,
  );
  return Object.fromEntries(
    balances
      .filter(([, records]) => records !== 0)
      .map(([key, records]) => [key, { records, last_offset: null }]),
  );
}

/** Everything that was read and is before or after what these files hold. */
function absentOf({ ends }: RestoredFiles, partitions: Partitions): NonNullable<RetentionLedger['absent']> {
  return Object.fromEntries(
    Object.entries(ends).map(([key, end]) => {
      const { first_offset: first = end, next_offset: next = end } = partitions[key] ?? {};
      const outside = [
        { from: 0, to: first },
        { from: next, to: end },
      ];
      return [key, outside.filter(({ from, to }) => from < to)];
    }),
  );
}
