/**
 * Where to start reading a partition, from everything that is known about it. Pure; an impossible
 * position is never jumped over silently: it is refused, or taken as the configuration says and told.
 */
import { unreachable } from '../core/invariant.ts';
import { type CommitMetadata, type Tenure, tenuresOf } from './commit-metadata.ts';
import type { GroupOffset } from './commit-outcome.ts';

export interface PositionPolicy {
  /** Records were deleted by Kafka before they were read. */
  readonly onLostRecords: 'stop' | 'earliest';
  /** The group's offset was moved by somebody else beyond what our files hold. */
  readonly onPositionConflict: 'stop' | 'checkpoint' | 'group';
  /** The topic holds fewer records than were read: deleted and created again. */
  readonly onTopicRecreated: 'stop' | 'earliest';
}

export interface PartitionEvidence extends GroupOffset {
  /** Names our set of files. */
  readonly directoryId: string;
  /** Where our files end; undefined for a partition that they do not know. */
  readonly filed: number | undefined;
  /** First offset in the log. */
  readonly earliest: number;
  /** Offset after the last in the log. */
  readonly latest: number;
}

/** Why offsets are not in our files; `stored_by_others` is the normal case, the others are losses. */
export type JumpReason = 'stored_by_others' | 'deleted_by_kafka' | 'topic_recreated' | 'taken_from_group';

/** [from, to) is passed over; where a topic was created again, `to` lies before `from`. */
export interface Jump {
  readonly from: number;
  readonly to: number;
  readonly reason: JumpReason;
}

export type StartDecision =
  | {
      readonly kind: 'start';
      readonly offset: number;
      /** The jumps that lead from the end of our files to `offset`, in order. */
      readonly jumps: readonly Jump[];
      /** The group was ahead of our files, and Kafka still has what they lack. */
      readonly rereads: boolean;
    }
  | { readonly kind: 'refuse'; readonly problem: string; readonly setting: string };

export function decideStart(evidence: PartitionEvidence, policy: PositionPolicy): StartDecision {
  const { committed, earliest } = evidence;
  const filed = evidence.filed ?? lostTenure(evidence)?.from;
  const position = filed ?? committed;
  if (position === undefined) return start(earliest);
  if (filed === undefined || committed === undefined || committed <= filed) {
    return insideLog(position, evidence, policy, []);
  }
  switch (standingOf(filed, committed, evidence)) {
    case 'files_set_back':
      return insideLog(filed, evidence, policy, [], true);
    case 'handed_over':
      return insideLog(committed, evidence, policy, [
        { from: filed, to: committed, reason: 'stored_by_others' },
      ]);
    case 'conflict':
      return (
        checkAgainstLog(filed, earliest, evidence.latest, policy) ?? resolveConflict(filed, committed, policy)
      );
  }
}

/** What it means that the group is ahead of our files. */
function standingOf(
  filed: number,
  committed: number,
  { metadata, directoryId }: PartitionEvidence,
): 'files_set_back' | 'handed_over' | 'conflict' {
  if (metadata === undefined) return 'conflict';
  // The files were set back (a restored backup, an older checkpoint): Kafka still has what they lack.
  if (metadata.directoryId === directoryId) return 'files_set_back';
  const own = ownTenure(committed, metadata, directoryId);
  return own === undefined || own.to <= filed ? 'handed_over' : 'conflict';
}

/**
 * What our files held of a partition that they do not know: a checkpoint from before its first records has
 * taken the place of a damaged one.
 */
function lostTenure({ committed, metadata, directoryId }: PartitionEvidence): Tenure | undefined {
  if (committed === undefined || metadata === undefined) return undefined;
  return ownTenure(committed, metadata, directoryId);
}

function ownTenure(committed: number, metadata: CommitMetadata, directoryId: string): Tenure | undefined {
  return tenuresOf(committed, metadata).find((tenure) => tenure.directoryId === directoryId);
}

function start(offset: number, jumps: readonly Jump[] = [], rereads = false): StartDecision {
  return { kind: 'start', offset, jumps, rereads };
}

function insideLog(
  position: number,
  { earliest, latest }: PartitionEvidence,
  policy: PositionPolicy,
  jumps: readonly Jump[],
  rereads = false,
): StartDecision {
  const outside = checkAgainstLog(position, earliest, latest, policy);
  if (outside === undefined) return start(position, jumps, rereads);
  return outside.kind === 'refuse' ? outside : { ...outside, jumps: [...jumps, ...outside.jumps] };
}

/** Checks a position against what the log holds; undefined when it lies inside. */
export function checkAgainstLog(
  position: number,
  earliest: number,
  latest: number,
  policy: PositionPolicy,
): StartDecision | undefined {
  if (position > latest) {
    if (policy.onTopicRecreated === 'earliest') {
      return start(earliest, [{ from: position, to: earliest, reason: 'topic_recreated' }]);
    }
    return {
      kind: 'refuse',
      problem: `we read up to offset ${position}, but the topic ends at ${latest}, so it was deleted and created again`,
      setting: 'kafka.on_topic_recreated: earliest',
    };
  }
  if (position < earliest) {
    if (policy.onLostRecords === 'earliest') {
      return start(earliest, [{ from: position, to: earliest, reason: 'deleted_by_kafka' }]);
    }
    return {
      kind: 'refuse',
      problem: `the next record to read is ${position}, but Kafka's retention has deleted everything before ${earliest}`,
      setting: 'kafka.on_lost_records: earliest',
    };
  }
  return undefined;
}

function resolveConflict(filed: number, committed: number, policy: PositionPolicy): StartDecision {
  switch (policy.onPositionConflict) {
    case 'checkpoint':
      return start(filed, [], true);
    case 'group':
      return start(committed, [{ from: filed, to: committed, reason: 'taken_from_group' }]);
    case 'stop':
      return {
        kind: 'refuse',
        problem: `the checkpoint ends at ${filed}, but another consumer committed ${committed} for the same group`,
        setting: 'kafka.on_position_conflict: checkpoint (read them here too) or group (skip them)',
      };
    default:
      return unreachable(policy.onPositionConflict, 'position policy');
  }
}
