import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitMetadata, Tenure } from '../../src/consume/commit-metadata.ts';
import { commitOutcome } from '../../src/consume/commit-outcome.ts';

/** Our commit of checkpoint 7 would have added offsets 50 to 99. */
const RANGE = { from: 50, to: 100 };

function outcome(committed: number | undefined, metadata: CommitMetadata | undefined): string {
  return commitOutcome(RANGE, 7, 'ours', { committed, metadata });
}

function by(
  directoryId: string,
  sequence: number,
  from: number,
  before: readonly Tenure[] = [],
): CommitMetadata {
  return { instance: '', directoryId, sequence, from, before };
}

const own = (sequence: number, to: number): Tenure => ({ directoryId: 'ours', sequence, from: 0, to });

test('our own last commit answers by its sequence', () => {
  assert.equal(outcome(100, by('ours', 7, 0)), 'taken');
  assert.equal(outcome(50, by('ours', 6, 0)), 'refused');
});

test('a sequence of a directory that is gone does not count', () => {
  assert.equal(outcome(50, by('ours', 40, 0)), 'refused', 'the same name, but it never reached our offsets');
});

test('with others after us, our last tenure answers', () => {
  assert.equal(outcome(300, by('other', 3, 100, [own(7, 100)])), 'taken');
  assert.equal(outcome(300, by('other', 3, 50, [own(6, 50)])), 'refused');
  const others: Tenure = { directoryId: 'other', sequence: 3, from: 100, to: 300 };
  assert.equal(outcome(400, by('third', 1, 300, [others, own(7, 100)])), 'taken');
});

test('others who read it from where ours begin leave no place for us', () => {
  assert.equal(outcome(300, by('other', 3, 50)), 'refused');
  assert.equal(outcome(300, by('other', 3, 20)), 'refused');
});

test('a partition that nobody committed is not ours', () => {
  assert.equal(outcome(undefined, undefined), 'refused');
});

test('what cannot be told is unknown', () => {
  assert.equal(outcome(300, undefined), 'unknown', 'another program has committed');
  assert.equal(outcome(300, by('other', 3, 200)), 'unknown', 'our tenure is too long ago');
});
