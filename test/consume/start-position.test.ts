import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CommitMetadata, Tenure } from '../../src/consume/commit-metadata.ts';
import {
  decideStart,
  type PartitionEvidence,
  type PositionPolicy,
} from '../../src/consume/start-position.ts';

const STOP: PositionPolicy = { onLostRecords: 'stop', onPositionConflict: 'stop', onTopicRecreated: 'stop' };

/** [checkpoint, committed, by us, policy, the decision in short]; the log holds 100 to 200. */
const TABLE: readonly (readonly [
  number | undefined,
  number | undefined,
  boolean,
  Partial<PositionPolicy>,
  string,
])[] = [
  [undefined, undefined, false, {}, 'start 100'],
  [undefined, 150, true, {}, 'start 110, rereading'],
  [undefined, 150, false, {}, 'start 150'],
  [undefined, 100, false, {}, 'start 100'],
  [undefined, 200, false, {}, 'start 200'],
  [undefined, 99, false, {}, 'refuse kafka.on_lost_records: earliest'],
  [undefined, 99, false, { onLostRecords: 'earliest' }, 'jump 99 to 100: deleted_by_kafka'],
  [undefined, 201, false, {}, 'refuse kafka.on_topic_recreated: earliest'],
  [undefined, 201, false, { onTopicRecreated: 'earliest' }, 'jump 201 to 100: topic_recreated'],
  [150, undefined, false, {}, 'start 150'],
  [150, 150, true, {}, 'start 150'],
  [150, 150, false, {}, 'start 150'],
  [150, 120, true, {}, 'start 150'],
  [150, 120, false, {}, 'start 150'],
  // Committed offsets outside the log say nothing about a checkpoint inside.
  [150, 20, false, {}, 'start 150'],
  [150, 180, true, {}, 'start 150, rereading'],
  [
    150,
    180,
    false,
    {},
    'refuse kafka.on_position_conflict: checkpoint (read them here too) or group (skip them)',
  ],
  [150, 180, false, { onPositionConflict: 'checkpoint' }, 'start 150, rereading'],
  [150, 180, false, { onPositionConflict: 'group' }, 'jump 150 to 180: taken_from_group'],
  [100, 100, true, {}, 'start 100'],
  [200, 200, true, {}, 'start 200'],
  [99, undefined, false, {}, 'refuse kafka.on_lost_records: earliest'],
  [99, 180, true, {}, 'refuse kafka.on_lost_records: earliest'],
  [
    99,
    180,
    false,
    { onLostRecords: 'earliest', onPositionConflict: 'group' },
    'jump 99 to 100: deleted_by_kafka',
  ],
  [99, 99, true, { onLostRecords: 'earliest' }, 'jump 99 to 100: deleted_by_kafka'],
  [99, 99, true, { onTopicRecreated: 'earliest' }, 'refuse kafka.on_lost_records: earliest'],
  [201, 201, true, {}, 'refuse kafka.on_topic_recreated: earliest'],
  [201, undefined, false, { onLostRecords: 'earliest' }, 'refuse kafka.on_topic_recreated: earliest'],
  [201, 150, true, { onTopicRecreated: 'earliest' }, 'jump 201 to 100: topic_recreated'],
];

function short(evidence: PartitionEvidence, policy: PositionPolicy): string {
  const decision = decideStart(evidence, policy);
  if (decision.kind === 'refuse') return `refuse ${decision.setting}`;
  const { offset, jumps, rereads } = decision;
  if (jumps.length > 0)
    return jumps.map(({ from, to, reason }) => `jump ${from} to ${to}: ${reason}`).join(', ');
  return `start ${offset}${rereads ? ', rereading' : ''}`;
}

/** The group's offset, committed by us or by another program. */
function evidenceOf(
  filed: number | undefined,
  committed: number | undefined,
  byUs: boolean,
): PartitionEvidence {
  const metadata = byUs ? metadataOf('ours', Math.min(110, committed ?? 110)) : undefined;
  return { directoryId: 'ours', filed, committed, metadata, earliest: 100, latest: 200 };
}

function metadataOf(directoryId: string, from: number, before: readonly Tenure[] = []): CommitMetadata {
  return { instance: '', directoryId, sequence: 3, from, before };
}

for (const [checkpoint, committed, committedByUs, policy, expected] of TABLE) {
  const by = committedByUs ? ' by us' : '';
  test(`checkpoint ${checkpoint}, committed ${committed}${by}, ${JSON.stringify(policy)}: ${expected}`, () => {
    const evidence = evidenceOf(checkpoint, committed, committedByUs);
    assert.equal(short(evidence, { ...STOP, ...policy }), expected);
  });
}

test('a refusal says what is wrong', () => {
  const decision = decideStart(evidenceOf(99, undefined, false), STOP);
  assert.ok(decision.kind === 'refuse');
  assert.match(decision.problem, /the next record to read is 99, .* before 100$/);
});

test('whatever is known, nothing is jumped over unless the configuration says so', () => {
  const offset = fc.nat({ max: 30 });
  const known = fc.option(offset, { nil: undefined });
  fc.assert(
    fc.property(
      known,
      known,
      fc.boolean(),
      offset,
      offset,
      (checkpoint, committed, committedByUs, earliest, length) => {
        const evidence = evidenceOf(checkpoint, committed, committedByUs);
        const decision = decideStart({ ...evidence, earliest, latest: earliest + length }, STOP);
        if (decision.kind === 'refuse') return;
        assert.deepEqual(decision.jumps, []);
        const lost = committedByUs && committed !== undefined ? Math.min(110, committed) : undefined;
        assert.equal(decision.offset, checkpoint ?? lost ?? committed ?? earliest);
      },
    ),
  );
});

/** Our files end at 150; another instance has committed 180. */
function takenOver(by: CommitMetadata, policy: Partial<PositionPolicy> = {}, log = {}): string {
  const evidence = { ...evidenceOf(150, 180, false), metadata: by, ...log };
  return short(evidence, { ...STOP, ...policy });
}

test('a partition goes on where another instance ended', () => {
  const own: Tenure = { directoryId: 'ours', sequence: 2, from: 100, to: 150 };
  assert.equal(takenOver(metadataOf('other', 150, [own])), 'jump 150 to 180: stored_by_others');
  assert.equal(takenOver(metadataOf('other', 150)), 'jump 150 to 180: stored_by_others');
});

test('records that we committed and do not have any more are a conflict', () => {
  const own: Tenure = { directoryId: 'ours', sequence: 2, from: 100, to: 170 };
  const by = metadataOf('other', 170, [own]);
  assert.match(takenOver(by), /^refuse kafka\.on_position_conflict/);
  assert.equal(takenOver(by, { onPositionConflict: 'checkpoint' }), 'start 150, rereading');
});

test('what Kafka deleted after others had stored it is no loss of ours', () => {
  const by = metadataOf('other', 150);
  assert.equal(takenOver(by, {}, { earliest: 170 }), 'jump 150 to 180: stored_by_others');
  const lost = takenOver(by, { onLostRecords: 'earliest' }, { earliest: 190 });
  assert.equal(lost, 'jump 150 to 180: stored_by_others, jump 180 to 190: deleted_by_kafka');
  assert.match(takenOver(by, {}, { earliest: 190 }), /^refuse kafka\.on_lost_records/);
});

test('records that we committed before others came, of a partition that our files do not know, are a conflict', () => {
  const own: Tenure = { directoryId: 'ours', sequence: 2, from: 110, to: 150 };
  const evidence = { ...evidenceOf(undefined, 180, false), metadata: metadataOf('other', 150, [own]) };
  assert.match(short(evidence, STOP), /^refuse kafka\.on_position_conflict/);
});
