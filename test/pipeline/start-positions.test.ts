import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitMetadata } from '../../src/consume/commit-metadata.ts';
import type { PartitionState } from '../../src/consume/topic-state.ts';
import { ServiceError } from '../../src/core/errors.ts';
import { decideStarts, type PartitionStart, statesOf } from '../../src/pipeline/start-positions.ts';

const LOG = { earliest: 100, latest: 200 };

function by(directoryId: string): CommitMetadata {
  return { instance: '', directoryId, sequence: 1, from: 0, before: [] };
}

function decide(
  partitions: readonly PartitionState[],
  filed: Readonly<Record<number, number>>,
  onLostRecords: 'stop' | 'earliest' = 'earliest',
  counted = filed,
): PartitionStart[] {
  return decideStarts('logs', partitions, {
    directoryId: 'me',
    policy: { onLostRecords, onPositionConflict: 'stop', onTopicRecreated: 'stop' },
    filed: (_topic, partition) => filed[partition],
    counted: (_topic, partition) => counted[partition],
  });
}

test('each partition starts where its own evidence says', () => {
  const partitions = [
    { partition: 0, ...LOG, committed: undefined, metadata: undefined },
    { partition: 1, ...LOG, committed: 150, metadata: by('another') },
    { partition: 2, ...LOG, committed: 150, metadata: by('me') },
    { partition: 3, ...LOG, committed: 180, metadata: by('me') },
    { partition: 4, ...LOG, committed: 90, metadata: by('me') },
    { partition: 5, ...LOG, committed: 180, metadata: by('another') },
  ];
  const starts = decide(partitions, { 2: 160, 3: 170, 4: 90, 5: 150 });
  assert.deepEqual(
    starts.map(({ offset, rereadsUpTo, jumps, tenure }) => [
      offset,
      rereadsUpTo,
      jumps.map(({ from, to, reason }) => `${from}-${to} ${reason}`).join(),
      tenure.from,
    ]),
    [
      [100, undefined, '', 100],
      [150, undefined, '', 150],
      [160, undefined, '', 0],
      [170, 180, '', 0],
      [100, undefined, '90-100 deleted_by_kafka', 0],
      [180, undefined, '150-180 stored_by_others', 180],
    ],
  );
});

test('a tenure begins where our records begin that the group does not have yet', () => {
  const partitions = [
    { partition: 0, ...LOG, committed: undefined, metadata: undefined },
    { partition: 1, ...LOG, committed: 150, metadata: by('another') },
    { partition: 2, ...LOG, committed: 180, metadata: by('another') },
  ];
  const starts = decide(partitions, { 0: 130, 1: 170, 2: 170 }, 'earliest', { 0: 110, 1: 150, 2: 160 });
  assert.deepEqual(
    starts.map(({ offset, tenure }) => [offset, tenure.from]),
    [
      [130, 110],
      [170, 150],
      [180, 180],
    ],
  );
});

test('an offset that another program committed ahead of us is a conflict', () => {
  const partitions = [{ partition: 0, ...LOG, committed: 180, metadata: undefined }];
  assert.throws(
    () => decide(partitions, { 0: 150 }),
    isImpossible(/logs\/0: .*another consumer committed 180/),
  );
});

test('a refusal names the partition and the setting that decides', () => {
  const partitions = [{ partition: 3, ...LOG, committed: undefined, metadata: undefined }];
  const sentence = /^Cannot continue logs\/3: .*; decide with kafka\.on_lost_records: earliest\.$/;
  assert.throws(() => decide(partitions, { 3: 5 }, 'stop'), isImpossible(sentence));
});

test('a partition that the broker does not know yet is named', () => {
  const known = [{ partition: 0, ...LOG, committed: undefined, metadata: undefined }];
  const assigned = (...partitions: readonly number[]) =>
    partitions.map((partition) => ({ topic: 'logs', partition }));
  assert.deepEqual(statesOf(assigned(0), known), known);
  assert.deepEqual(statesOf(assigned(0, 4), known), { unknown: 'logs/4' });
});

function isImpossible(pattern: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof ServiceError && error.code === 'POSITION_IMPOSSIBLE' && pattern.test(error.message);
}
