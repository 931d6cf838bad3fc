import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommitMetadata, Tenure } from '../../src/consume/commit-metadata.ts';
import type { GroupOffset } from '../../src/consume/commit-outcome.ts';
import { decideHandOver, type HandOver } from '../../src/pipeline/hand-over.ts';

const range = (partition: number, from: number, to: number) => ({ topic: 't', partition, from, to });

function metadata(
  directoryId: string,
  sequence: number,
  from: number,
  before: readonly Tenure[] = [],
): CommitMetadata {
  return { instance: '', directoryId, sequence, from, before };
}

interface Given {
  /** Offsets of checkpoint 7, which waits for its commit. */
  readonly outstanding?: readonly [from: number, to: number];
  /** Everything beyond what the group had. */
  readonly ahead: readonly [from: number, to: number];
  readonly assigned?: boolean;
  readonly group: GroupOffset;
}

function decide({ outstanding, ahead, assigned = true, group }: Given): HandOver {
  return decideHandOver({
    directoryId: 'ours',
    outstanding: outstanding === undefined ? undefined : 7,
    outstandingRanges: outstanding === undefined ? [] : [range(0, ...outstanding)],
    unacknowledgedRanges: [range(0, ...ahead)],
    assigned: new Set(assigned ? ['t/0'] : []),
    group: new Map([['t/0', group]]),
  });
}

const KEEP = { outstanding: 'open', uncertain: [], cut: false };
const CUT = { outstanding: 'open', uncertain: [], cut: true };
const TAKEN = { outstanding: 'taken', uncertain: [], cut: false };

const byUs = { committed: 50, metadata: metadata('ours', 6, 0) };

test('nobody else was there: everything stays', () => {
  assert.deepEqual(decide({ ahead: [50, 90], group: byUs }), KEEP);
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 90], group: byUs }), KEEP);
  assert.deepEqual(decide({ ahead: [0, 90], group: { committed: undefined, metadata: undefined } }), KEEP);
});

test("a partition that is somebody else's now is cut", () => {
  assert.deepEqual(decide({ ahead: [50, 90], assigned: false, group: byUs }), CUT);
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 90], assigned: false, group: byUs }), CUT);
});

test('a partition that somebody else read meanwhile is cut, even when it is ours again', () => {
  const own: Tenure = { directoryId: 'ours', sequence: 6, from: 0, to: 50 };
  const group = { committed: 80, metadata: metadata('other', 2, 50, [own]) };
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 90], group }), CUT);
});

test('a commit that was taken counts, and only what came after it is looked at', () => {
  const taken = { committed: 70, metadata: metadata('ours', 7, 0) };
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 70], assigned: false, group: taken }), TAKEN);
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 90], group: taken }), TAKEN);
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 90], assigned: false, group: taken }), {
    ...TAKEN,
    cut: true,
  });
});

test('when nobody can tell, the records stay and the range is recorded', () => {
  const group = { committed: 300, metadata: metadata('other', 2, 200) };
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 70], assigned: false, group }), {
    outstanding: 'taken',
    uncertain: [range(0, 50, 70)],
    cut: false,
  });
  const foreign = { committed: 300, metadata: undefined };
  assert.deepEqual(decide({ outstanding: [50, 70], ahead: [50, 70], group: foreign }), KEEP);
});

test('one partition that was taken speaks for the whole request', () => {
  const decision = decideHandOver({
    directoryId: 'ours',
    outstanding: 7,
    outstandingRanges: [range(0, 50, 70), range(1, 5, 9)],
    unacknowledgedRanges: [range(0, 50, 70), range(1, 5, 9)],
    assigned: new Set(),
    group: new Map([
      ['t/0', { committed: 300, metadata: undefined }],
      ['t/1', { committed: 9, metadata: metadata('ours', 7, 0) }],
    ]),
  });
  assert.deepEqual(decision, TAKEN);
});
