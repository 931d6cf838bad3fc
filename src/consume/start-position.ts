/**
 * Where to start reading a partition, from everything that is known about it. Pure; an impossible
 * position is never jumped over silently: it is refused, or taken as the configuration says and told.
 */
import { unreachable } from '../core/invariant.ts';

export interface PositionPolicy {
  /** Records were deleted by Kafka before they were read. */
  readonly onLostRecords: 'stop' | 'earliest';
  /** The group's offset was moved by somebody else beyond what our files hold. */
  readonly onPositionConflict: 'stop' | 'checkpoint' | 'group';
  /** The topic holds fewer records than were read: deleted and created again. */
  readonly onTopicRecreated: 'stop' | 'earliest';
}

export interface PartitionEvidence {
  /** Next offset according to the checkpoint. */
  readonly checkpoint: number | undefined;
  /** The group's committed offset. */
  readonly committed: number | undefined;
  /** Whether the committed offset carries our own metadata. */
  readonly committedByUs: boolean;
  /** First offset in the log. */
  readonly earliest: number;
  /** Offset after the last in the log. */
  readonly latest: number;
}

type LossReason = 'deleted_by_kafka' | 'topic_recreated' | 'taken_from_group';

export type StartDecision =
  | { readonly kind: 'start'; readonly offset: number; readonly rereads: boolean }
  /** Start at `to`; [from, to) is given up for the named reason. */
  | { readonly kind: 'jump'; readonly from: number; readonly to: number; readonly reason: LossReason }
  | { readonly kind: 'refuse'; readonly problem: string; readonly setting: string };

export function decideStart(evidence: PartitionEvidence, policy: PositionPolicy): StartDecision {
  const { checkpoint, committed, earliest } = evidence;
  const position = checkpoint ?? committed;
  if (position === undefined) return { kind: 'start', offset: earliest, rereads: false };
  const outside = checkAgainstLog(position, evidence.earliest, evidence.latest, policy);
  if (outside !== undefined) return outside;
  if (checkpoint === undefined || committed === undefined || committed <= checkpoint) {
    return { kind: 'start', offset: position, rereads: false };
  }
  // The files were set back (a restored backup, an older checkpoint): Kafka still has what they lack.
  if (evidence.committedByUs) return { kind: 'start', offset: checkpoint, rereads: true };
  return resolveConflict(checkpoint, committed, policy);
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
      return { kind: 'jump', from: position, to: earliest, reason: 'topic_recreated' };
    }
    return {
      kind: 'refuse',
      problem: `we read up to offset ${position}, but the topic ends at ${latest}, so it was deleted and created again`,
      setting: 'kafka.on_topic_recreated: earliest',
    };
  }
  if (position < earliest) {
    if (policy.onLostRecords === 'earliest') {
      return { kind: 'jump', from: position, to: earliest, reason: 'deleted_by_kafka' };
    }
    return {
      kind: 'refuse',
      problem: `the next record to read is ${position}, but Kafka's retention has deleted everything before ${earliest}`,
      setting: 'kafka.on_lost_records: earliest',
    };
  }
  return undefined;
}

function resolveConflict(checkpoint: number, committed: number, policy: PositionPolicy): StartDecision {
  switch (policy.onPositionConflict) {
    case 'checkpoint':
      return { kind: 'start', offset: checkpoint, rereads: true };
    case 'group':
      return { kind: 'jump', from: checkpoint, to: committed, reason: 'taken_from_group' };
    case 'stop':
      return {
        kind: 'refuse',
        problem: `the checkpoint ends at ${checkpoint}, but another consumer committed ${committed} for the same group`,
        setting: 'kafka.on_position_conflict: checkpoint (read them here too) or group (skip them)',
      };
    default:
      return unreachable(policy.onPositionConflict, 'position policy');
  }
}
