/**
 * Which offsets which set of files holds, when several instances share one consumer group.
 *
 * A checkpoint can hold records that Kafka never acknowledged, and another instance reads those again.
 * Whoever reads the files of several instances therefore counts an instance's newest checkpoint only as
 * long as nobody else reads what it added; otherwise the one before counts. The instance itself finds the
 * same and cuts its files when it comes back (roll-back.ts).
 */
import type { Checkpoint, PartitionCheckpoint } from './checkpoint.ts';
import type { OffsetRange } from './facts.ts';

/** The checkpoints of one instance that its files can be read by. */
export interface CheckpointPair {
  readonly newest: Checkpoint;
  /** The one before, while it is not known whether Kafka has taken the newest. */
  readonly acknowledged: Checkpoint | undefined;
}

/** The ranges of a partition that these files hold, in the order in which they were read. */
export function ownRanges({ first_offset, next_offset, lost }: PartitionCheckpoint): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  let from = first_offset;
  for (const jump of lost) {
    ranges.push({ from, to: jump.from });
    from = jump.to;
  }
  ranges.push({ from, to: next_offset });
  return ranges.filter((range) => range.to > range.from);
}

/** Whether the topic was created again, so that the same offsets mean different records. */
function wasRecreated({ lost }: PartitionCheckpoint): boolean {
  return lost.some(({ from, to }) => to < from);
}

function lastRewind({ lost }: PartitionCheckpoint): number {
  return lost.findLastIndex(({ from, to }) => to < from);
}

/** For each instance the checkpoint that counts. */
export function effectiveCheckpoints(pairs: readonly CheckpointPair[]): Checkpoint[] {
  return pairs.map((pair) => {
    const { newest, acknowledged } = pair;
    if (acknowledged === undefined) return newest;
    const others = pairs.filter((other) => other !== pair);
    return isDisproved(newest, acknowledged, others) ? acknowledged : newest;
  });
}

/** What the newest checkpoint added of a partition, without what others stored. */
export function addedRanges(
  entry: PartitionCheckpoint,
  before: PartitionCheckpoint | undefined,
): OffsetRange[] {
  const rewind = lastRewind(entry);
  const current =
    rewind === -1
      ? entry
      : { ...entry, first_offset: entry.lost[rewind]?.to ?? 0, lost: entry.lost.slice(rewind + 1) };
  // A topic that was created again begins anew, and what was before says nothing of it.
  const isComparable = before !== undefined && lastRewind(before) === rewind;
  const from = isComparable ? before.next_offset : current.first_offset;
  const ranges = ownRanges(current).map((range) => ({ ...range, from: Math.max(range.from, from) }));
  return ranges.filter((range) => range.to > range.from);
}

/** Whether somebody else reads what the newest checkpoint added. */
function isDisproved(
  newest: Checkpoint,
  acknowledged: Checkpoint,
  others: readonly CheckpointPair[],
): boolean {
  return Object.entries(newest.partitions).some(([key, entry]) => {
    const added = addedRanges(entry, acknowledged.partitions[key]);
    return others.some((other) => {
      const theirs = other.newest.partitions[key];
      // Offsets before and after a new creation of the topic cannot be compared.
      if (theirs === undefined || wasRecreated(theirs) || wasRecreated(entry)) return false;
      return added.some((range) => isReadBy(other, key, range, newest));
    });
  });
}

/**
 * Whether the other instance has it by an acknowledged checkpoint, or began to read inside it. Two that
 * began at the same offset both wait for Kafka, and their files cannot tell which of them will get it: the
 * one that wrote last is more likely to be the one that took over.
 */
function isReadBy(other: CheckpointPair, key: string, range: OffsetRange, newest: Checkpoint): boolean {
  const settled = (other.acknowledged ?? other.newest).partitions[key];
  const isTheirs = settled !== undefined && ownRanges(settled).some((held) => overlaps(held, range));
  const theirs = other.newest.partitions[key];
  if (isTheirs || other.acknowledged === undefined || theirs === undefined) return isTheirs;
  const isLater = isWrittenLater(other.newest, newest);
  return addedRanges(theirs, settled).some(
    ({ from }) => (from > range.from && from < range.to) || (from === range.from && isLater),
  );
}

function overlaps(left: OffsetRange, right: OffsetRange): boolean {
  return left.from < right.to && right.from < left.to;
}

function isWrittenLater(left: Checkpoint, right: Checkpoint): boolean {
  if (left.written_at !== right.written_at) return left.written_at > right.written_at;
  return left.directory_id > right.directory_id;
}

/** What an instance holds of all partitions. */
export interface Holding {
  /** How messages call the instance. */
  readonly name: string;
  readonly partitions: Readonly<Record<string, PartitionCheckpoint>>;
  /** Offsets that nobody's files need to hold. */
  readonly absent?: Readonly<Record<string, readonly OffsetRange[]>>;
}

/**
 * Every offset between the first and the last that anybody holds must be held by exactly one instance, or
 * be recorded as given up. One sentence for each range that is not.
 */
export function coverageProblems(holdings: readonly Holding[]): string[] {
  const keys = new Set(holdings.flatMap(({ partitions }) => Object.keys(partitions)));
  return [...keys].sort().flatMap((key) => partitionProblems(key, holdings));
}

interface HeldRange extends OffsetRange {
  readonly name: string;
}

function partitionProblems(key: string, holdings: readonly Holding[]): string[] {
  const entries = holdings.flatMap(({ name, partitions }) => {
    const entry = partitions[key];
    return entry === undefined ? [] : [{ name, entry }];
  });
  if (entries.some(({ entry }) => wasRecreated(entry))) return [];
  const held = entries
    .flatMap(({ name, entry }) => ownRanges(entry).map((range): HeldRange => ({ ...range, name })))
    .sort((left, right) => left.from - right.from);
  const lost = entries.flatMap(({ entry }) =>
    entry.lost.filter(({ reason }) => reason !== 'stored_by_others'),
  );
  const absent = holdings.flatMap((holding) => holding.absent?.[key] ?? []);
  return walk(key, held, [...lost, ...absent]);
}

function walk(key: string, held: readonly HeldRange[], givenUp: readonly OffsetRange[]): string[] {
  const problems: string[] = [];
  let last: HeldRange | undefined;
  for (const range of held) {
    if (last !== undefined && range.from < last.to) {
      const to = Math.min(last.to, range.to);
      problems.push(
        `${key}: offsets ${range.from} to ${to - 1} are in the files of ${last.name} and of ${range.name}.`,
      );
    } else if (last !== undefined && !isCovered(last.to, range.from, givenUp)) {
      problems.push(`${key}: offsets ${last.to} to ${range.from - 1} are in no instance's files.`);
    }
    if (last === undefined || range.to > last.to) last = range;
  }
  return problems;
}

function isCovered(from: number, to: number, ranges: readonly OffsetRange[]): boolean {
  let reached = from;
  for (const range of [...ranges].sort((left, right) => left.from - right.from)) {
    if (range.from <= reached) reached = Math.max(reached, range.to);
  }
  return reached >= to;
}
