import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint, LostRange, PartitionCheckpoint } from '../../src/storage/checkpoint.ts';
import {
  addedRanges,
  coverageProblems,
  effectiveCheckpoints,
  ownRanges,
} from '../../src/storage/coverage.ts';
import { NO_TOTALS } from '../../src/storage/facts.ts';

function entry(first: number, next: number, lost: readonly LostRange[] = []): PartitionCheckpoint {
  return { ...NO_TOTALS, first_offset: first, next_offset: next, lost, uncertain: [] };
}

const elsewhere = (from: number, to: number): LostRange => ({ from, to, reason: 'stored_by_others' });

function checkpoint(sequence: number, partition: PartitionCheckpoint): Checkpoint {
  return { sequence, partitions: { 'logs/0': partition } } as unknown as Checkpoint;
}

function problems(...entries: readonly PartitionCheckpoint[]): string[] {
  return coverageProblems(
    entries.map((partition, index) => ({ name: 'abc'[index] ?? '', partitions: { 'logs/0': partition } })),
  );
}

test('own ranges are what lies between the jumps', () => {
  assert.deepEqual(ownRanges(entry(0, 100, [elsewhere(10, 40), elsewhere(40, 50)])), [
    { from: 0, to: 10 },
    { from: 50, to: 100 },
  ]);
});

test('what a checkpoint added does not count what others stored, nor a topic that is gone', () => {
  assert.deepEqual(addedRanges(entry(0, 100, [elsewhere(10, 40)]), entry(0, 10)), [{ from: 40, to: 100 }]);
  assert.deepEqual(addedRanges(entry(5, 100), undefined), [{ from: 5, to: 100 }]);
  const recreated = entry(0, 20, [{ from: 5000, to: 0, reason: 'topic_recreated' }]);
  assert.deepEqual(addedRanges(recreated, entry(0, 5000)), [{ from: 0, to: 20 }]);
  const before = { ...recreated, next_offset: 10 };
  assert.deepEqual(addedRanges(recreated, before), [{ from: 10, to: 20 }]);
});

test('every offset is held once: nothing to tell', () => {
  assert.deepEqual(problems(entry(0, 100, [elsewhere(30, 60)]), entry(30, 60)), []);
});

test('an offset in no files, or in the files of two, is named', () => {
  assert.deepEqual(problems(entry(0, 100, [elsewhere(30, 60)]), entry(40, 60)), [
    "logs/0: offsets 30 to 39 are in no instance's files.",
  ]);
  assert.deepEqual(problems(entry(0, 50), entry(40, 60)), [
    'logs/0: offsets 40 to 49 are in the files of a and of b.',
  ]);
  assert.deepEqual(problems(entry(0, 100), entry(10, 20), entry(90, 120)), [
    'logs/0: offsets 10 to 19 are in the files of a and of b.',
    'logs/0: offsets 90 to 99 are in the files of a and of c.',
  ]);
});

test('what was given up needs nobody to hold it', () => {
  const deleted: LostRange = { from: 30, to: 60, reason: 'deleted_by_kafka' };
  assert.deepEqual(problems(entry(0, 100, [deleted])), []);
  assert.deepEqual(problems(entry(0, 30), entry(60, 90), entry(90, 95, [])).length, 1);
});

test('the newest checkpoint of a dead instance counts until somebody else began inside it', () => {
  const dead = { newest: checkpoint(5, entry(0, 100)), acknowledged: checkpoint(4, entry(0, 60)) };
  const sequences = (other: PartitionCheckpoint): (number | undefined)[] =>
    effectiveCheckpoints([dead, { newest: checkpoint(9, other), acknowledged: undefined }]).map(
      ({ sequence }) => sequence,
    );
  assert.deepEqual(sequences(entry(60, 80)), [4, 9], 'Kafka never took it: others read from 60 on');
  assert.deepEqual(sequences(entry(100, 130)), [5, 9], 'others went on behind it');
  assert.deepEqual(sequences(entry(0, 0)), [5, 9]);
  assert.deepEqual(sequences(entry(20, 50)), [5, 9], 'what they hold of earlier is another matter');
});
