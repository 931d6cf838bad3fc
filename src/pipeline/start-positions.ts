/** Decides, for every partition of the topic, where this process starts reading. */
import { decideStart, type PositionPolicy } from '../consume/start-position.ts';
import type { PartitionState } from '../consume/topic-state.ts';
import { type Position, partitionKey } from '../core/offsets.ts';
import type { WriterClient } from '../write/writer-client.ts';
import type { IngestObserver } from './observer.ts';
import { refusal } from './position-guard.ts';

export interface StartContext {
  readonly topic: string;
  readonly instance: string;
  readonly checkpoint: readonly Position[];
  readonly policy: PositionPolicy;
  readonly writer: WriterClient;
  readonly observer: IngestObserver;
}

/**
 * Start offsets by partition key. Positions that are given up are recorded in the next checkpoint.
 * @throws ServiceError POSITION_IMPOSSIBLE when a partition's position is impossible and the
 *   configuration does not say what to do
 */
export function decideStartPositions(
  partitions: readonly PartitionState[],
  context: StartContext,
): Map<string, number> {
  const checkpoint = new Map(
    context.checkpoint.map(({ topic, partition, nextOffset }) => [
      partitionKey(topic, partition),
      nextOffset,
    ]),
  );
  const positions = new Map<string, number>();
  for (const state of partitions) {
    const key = partitionKey(context.topic, state.partition);
    positions.set(key, decideOne(state, checkpoint.get(key), context));
  }
  return positions;
}

function decideOne(state: PartitionState, checkpoint: number | undefined, context: StartContext): number {
  const { topic, writer, observer } = context;
  const { partition, committed } = state;
  const committedByUs = state.committedBy?.instance === context.instance;
  const decision = decideStart({ ...state, checkpoint, committedByUs }, context.policy);
  switch (decision.kind) {
    case 'refuse':
      throw refusal(topic, partition, decision);
    case 'jump':
      observer.positionJumped(topic, partition, decision.from, decision.to, decision.reason);
      writer.skip(topic, partition, decision.from, decision.to, decision.reason);
      return decision.to;
    case 'start':
      if (decision.rereads)
        observer.rereading(topic, partition, decision.offset, committed ?? decision.offset);
      return decision.offset;
  }
}
