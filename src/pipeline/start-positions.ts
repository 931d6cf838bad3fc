/** Decides, for every partition of a new assignment, where to read on. */
import { type OpenTenure, openTenure } from '../consume/commit-metadata.ts';
import { decideStart, type Jump, type PositionPolicy } from '../consume/start-position.ts';
import type { PartitionState } from '../consume/topic-state.ts';
import { partitionKey, type TopicPartition } from '../core/offsets.ts';
import { refusal } from './position-guard.ts';

export interface StartContext {
  readonly directoryId: string;
  readonly policy: PositionPolicy;
  /** Where our files end; undefined for a partition that they do not know. */
  readonly filed: (topic: string, partition: number) => number | undefined;
  /** Where that begins which our files hold beyond what the group has; undefined as above. */
  readonly counted: (topic: string, partition: number) => number | undefined;
}

/** How reading of one partition goes on. */
export interface PartitionStart extends TopicPartition {
  readonly offset: number;
  /** What is passed over before `offset`, in order. */
  readonly jumps: readonly Jump[];
  readonly tenure: OpenTenure;
  /** Offsets below this are read again, because the files lack them. */
  readonly rereadsUpTo: number | undefined;
  /** Offset after the last in the log. */
  readonly latest: number;
}

/**
 * @throws ServiceError POSITION_IMPOSSIBLE when a partition's position is impossible and the
 *   configuration does not say what to do
 */
export function decideStarts(
  topic: string,
  partitions: readonly PartitionState[],
  context: StartContext,
): PartitionStart[] {
  return partitions.map((state) => decideOne(topic, state, context));
}

function decideOne(topic: string, state: PartitionState, context: StartContext): PartitionStart {
  const { partition, committed, metadata, latest } = state;
  const { directoryId, policy } = context;
  const filed = context.filed(topic, partition);
  const decision = decideStart({ ...state, directoryId, filed }, policy);
  if (decision.kind === 'refuse') throw refusal(topic, partition, decision);
  const { offset, jumps, rereads } = decision;
  // What the files hold and the group does not have yet is committed with what follows it.
  const counted = context.counted(topic, partition) ?? offset;
  const from = jumps.length === 0 ? Math.min(counted, offset) : offset;
  return {
    topic,
    partition,
    offset,
    jumps,
    latest,
    tenure: openTenure(directoryId, from, committed, metadata),
    rereadsUpTo: rereads ? committed : undefined,
  };
}

/** The states of the assigned partitions by key, or the first partition of which nothing is known yet. */
export function statesOf(
  assigned: readonly TopicPartition[],
  states: readonly PartitionState[],
): PartitionState[] | { readonly unknown: string } {
  const byPartition = new Map(states.map((state) => [state.partition, state]));
  const found: PartitionState[] = [];
  for (const { topic, partition } of assigned) {
    const state = byPartition.get(partition);
    if (state === undefined) return { unknown: partitionKey(topic, partition) };
    found.push(state);
  }
  return found;
}
