/**
 * Decides, at a new assignment, what becomes of records that the files hold and the group does not count
 * as ours yet. Pure.
 *
 * They stay when Kafka did take them, and when nobody else can have read them: their partitions are ours
 * again, and the group still stands where they begin. They are cut when somebody else reads them or will.
 * When nobody can tell, they stay, because a record too many can be found and one too few cannot; the
 * range is recorded as uncertain.
 */
import { commitOutcome, type GroupOffset } from '../consume/commit-outcome.ts';
import { type PartitionRange, partitionKey } from '../core/offsets.ts';

export interface Situation {
  readonly directoryId: string;
  /** The checkpoint that waits for its commit, and what it adds to what the group has. */
  readonly outstanding: number | undefined;
  readonly outstandingRanges: readonly PartitionRange[];
  /** Everything that the files hold, or will, beyond what the group has. */
  readonly unacknowledgedRanges: readonly PartitionRange[];
  /** Keys of the partitions that are ours now. */
  readonly assigned: ReadonlySet<string>;
  readonly group: ReadonlyMap<string, GroupOffset>;
}

export interface HandOver {
  /** What to make of the outstanding checkpoint. */
  readonly outstanding: 'taken' | 'open';
  /** Ranges of the outstanding checkpoint that another instance may hold too. */
  readonly uncertain: readonly PartitionRange[];
  /** Whether the files are to be cut back to the last checkpoint that counts as taken. */
  readonly cut: boolean;
}

const NOTHING_KNOWN: GroupOffset = { committed: undefined, metadata: undefined };

export function decideHandOver(situation: Situation): HandOver {
  const { outstanding, outstandingRanges, unacknowledgedRanges } = situation;
  const outcomes = outstandingRanges.map((range) => ({
    range,
    outcome: outcomeOf(range, outstanding ?? 0, situation),
  }));
  // One request commits all partitions or none.
  const isTaken = outcomes.some(({ outcome }) => outcome === 'taken');
  if (isTaken) return after('taken', [], unacknowledgedRanges, situation);
  const disputed = unacknowledgedRanges.filter((range) => !isUndisputed(range, situation));
  if (disputed.length === 0) return { outstanding: 'open', uncertain: [], cut: false };
  const isRefused = outcomes.some(({ outcome }) => outcome === 'refused');
  if (isRefused || outcomes.length === 0) return { outstanding: 'open', uncertain: [], cut: true };
  const uncertain = outstandingRanges.filter((range) => !isUndisputed(range, situation));
  return after('taken', uncertain, unacknowledgedRanges, situation);
}

/** The outstanding checkpoint counts as taken: what was filed after it is looked at by itself. */
function after(
  outstanding: 'taken',
  uncertain: readonly PartitionRange[],
  unacknowledged: readonly PartitionRange[],
  situation: Situation,
): HandOver {
  const taken = new Map(
    situation.outstandingRanges.map(({ topic, partition, to }) => [partitionKey(topic, partition), to]),
  );
  const rest = unacknowledged
    .map((range) => ({ ...range, from: taken.get(partitionKey(range.topic, range.partition)) ?? range.from }))
    .filter(({ from, to }) => from !== to);
  return { outstanding, uncertain, cut: rest.some((range) => !isUndisputed(range, situation)) };
}

function outcomeOf(range: PartitionRange, sequence: number, situation: Situation) {
  return commitOutcome(range, sequence, situation.directoryId, groupOffset(range, situation));
}

/** Whether nobody else has read the range, nor will. */
function isUndisputed(range: PartitionRange, situation: Situation): boolean {
  if (!situation.assigned.has(partitionKey(range.topic, range.partition))) return false;
  const { committed, metadata } = groupOffset(range, situation);
  const movedByOthers =
    metadata !== undefined && metadata.directoryId !== situation.directoryId && (committed ?? 0) > range.from;
  return !movedByOthers;
}

function groupOffset({ topic, partition }: PartitionRange, { group }: Situation): GroupOffset {
  return group.get(partitionKey(topic, partition)) ?? NOTHING_KNOWN;
}
