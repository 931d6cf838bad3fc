import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../src/consume/ledger.ts';
import { PositionGuard, type Verdict } from '../../src/pipeline/position-guard.ts';
import type { EntryResult } from '../../src/pipeline/task-queue.ts';

const POLICY = { onLostRecords: 'earliest', onPositionConflict: 'stop', onTopicRecreated: 'stop' } as const;

interface Scene {
  readonly guard: PositionGuard;
  readonly ledger: Ledger<EntryResult>;
  check(fetchedOffset: number, highWatermark?: number): Verdict;
}

/** A partition t/0 at `position`; our files know it up to `filed`. */
function scene(position: number | undefined, filed?: number, policy: typeof POLICY | object = POLICY): Scene {
  const ledger = new Ledger<EntryResult>();
  const known = new Map(position === undefined ? [] : [['t/0', position] as const]);
  ledger.begin([{ topic: 't', partition: 0 }], known);
  const files = new Map(filed === undefined ? [] : [['t/0', filed] as const]);
  const guard = new PositionGuard(ledger, { ...POLICY, ...policy }, files);
  return {
    guard,
    ledger,
    check: (fetchedOffset, highWatermark = 1000) =>
      guard.check({ topic: 't', partition: 0, fetchedOffset, highWatermark }),
  };
}

test('what starts where it should is used', () => {
  assert.deepEqual(scene(5).check(5), { kind: 'use' });
});

test('a partition that is not ours is ignored', () => {
  const { guard } = scene(5);
  const verdict = guard.check({ topic: 't', partition: 1, fetchedOffset: 5, highWatermark: 9 });
  assert.deepEqual(verdict, { kind: 'ignore' });
});

test('a delivery from before our position is asked for again, however often it comes', () => {
  const { check } = scene(50);
  for (let time = 0; time < 3; time += 1) assert.deepEqual(check(40), { kind: 'ask_again', offset: 50 });
});

test('a delivery beyond our position is a loss only when it comes again', () => {
  const { check, guard } = scene(50);
  assert.deepEqual(check(80), { kind: 'ask_again', offset: 50 });
  guard.begin();
  assert.deepEqual(check(80), { kind: 'ask_again', offset: 50 }, 'a new assignment begins anew');
  assert.deepEqual(check(80), { kind: 'jump', reason: 'deleted_by_kafka' });
});

test('a loss that the configuration does not allow is refused', () => {
  const { check } = scene(50, undefined, { onLostRecords: 'stop' });
  check(80);
  const verdict = check(80);
  assert.equal(verdict.kind, 'refuse');
  assert.match(verdict.kind === 'refuse' ? verdict.error.message : '', /kafka\.on_lost_records: earliest/);
});

test('a partition without a position begins where it is delivered', () => {
  const { check, ledger } = scene(undefined);
  assert.deepEqual(check(30), { kind: 'use' });
  assert.equal(ledger.takenOffset('t', 0), 30);
});

test('a partition that comes back goes on where the group stands, or where our files end', () => {
  assert.deepEqual(scene(undefined, 30).check(30), { kind: 'use' });
  assert.deepEqual(scene(undefined, 30).check(45), { kind: 'jump', reason: 'taken_from_group' });
  assert.deepEqual(scene(undefined, 30).check(20), { kind: 'ask_again', offset: 30 });
  const { guard, check } = scene(undefined, 30);
  guard.handed('t', 0, 44);
  assert.deepEqual(check(45), { kind: 'jump', reason: 'taken_from_group' });
});
