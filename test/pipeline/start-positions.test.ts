import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartitionState } from '../../src/consume/topic-state.ts';
import { ServiceError } from '../../src/core/errors.ts';
import type { IngestObserver } from '../../src/pipeline/observer.ts';
import { decideStartPositions } from '../../src/pipeline/start-positions.ts';

const LOG = { earliest: 100, latest: 200 };

function decide(
  partitions: readonly PartitionState[],
  checkpoint: Readonly<Record<number, number>>,
  onLostRecords: 'stop' | 'earliest' = 'earliest',
): { positions: Record<string, number>; told: string[] } {
  const told: string[] = [];
  const observer: Pick<IngestObserver, 'positionJumped' | 'rereading'> = {
    positionJumped: (_topic, partition, from, to, reason) =>
      told.push(`jumped ${partition}:${from}-${to} ${reason}`),
    rereading: (_topic, partition, from, to) => told.push(`rereading ${partition}:${from}-${to}`),
  };
  const positions = decideStartPositions(partitions, {
    topic: 'logs',
    instance: 'me',
    checkpoint: Object.entries(checkpoint).map(([partition, nextOffset]) => ({
      topic: 'logs',
      partition: Number(partition),
      nextOffset,
    })),
    policy: { onLostRecords, onPositionConflict: 'stop', onTopicRecreated: 'stop' },
    writer: {
      append: () => assert.fail('nothing is appended'),
      skip: (_topic, partition, from, to, reason) =>
        told.push(`skipped ${partition}:${from}-${to} ${reason}`),
      checkpoint: () => undefined,
      stop: () => undefined,
      terminate: async () => 0,
    },
    observer: observer as IngestObserver,
  });
  return { positions: Object.fromEntries(positions), told };
}

test('each partition starts where its own evidence says', () => {
  const by = (instance: string): PartitionState['committedBy'] => ({ instance, sequence: 1, tenure: 0 });
  const partitions = [
    { partition: 0, ...LOG, committed: undefined, committedBy: undefined },
    { partition: 1, ...LOG, committed: 150, committedBy: by('another') },
    { partition: 2, ...LOG, committed: 150, committedBy: by('me') },
    { partition: 3, ...LOG, committed: 180, committedBy: by('me') },
    { partition: 4, ...LOG, committed: 90, committedBy: by('me') },
  ];
  assert.deepEqual(decide(partitions, { 2: 160, 3: 170, 4: 90 }), {
    positions: { 'logs/0': 100, 'logs/1': 150, 'logs/2': 160, 'logs/3': 170, 'logs/4': 100 },
    told: ['rereading 3:170-180', 'jumped 4:90-100 deleted_by_kafka', 'skipped 4:90-100 deleted_by_kafka'],
  });
});

test('an offset that another instance committed ahead of us is a conflict', () => {
  const partitions = [
    { partition: 0, ...LOG, committed: 180, committedBy: { instance: 'another', sequence: 1, tenure: 0 } },
  ];
  assert.throws(
    () => decide(partitions, { 0: 150 }),
    isImpossible(/logs\/0: .*another consumer committed 180/),
  );
});

test('a refusal names the partition and the setting that decides', () => {
  const partitions = [{ partition: 3, ...LOG, committed: undefined, committedBy: undefined }];
  const sentence = /^Cannot continue logs\/3: .*; decide with kafka\.on_lost_records: earliest\.$/;
  assert.throws(() => decide(partitions, { 3: 5 }, 'stop'), isImpossible(sentence));
});

function isImpossible(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof ServiceError && error.code === 'POSITION_IMPOSSIBLE' && pattern.test(error.message);
}
