import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../src/consume/ledger.ts';
import type { PositionPolicy } from '../../src/consume/start-position.ts';
import { PositionGuard, type Verdict } from '../../src/pipeline/position-guard.ts';
import type { EntryResult } from '../../src/pipeline/task-queue.ts';

const POLICY = { onLostRecords: 'earliest', onPositionConflict: 'stop', onTopicRecreated: 'stop' } as const;

interface Scene {
  readonly guard: PositionGuard;
  check(fetchedOffset: number, highWatermark?: number): Verdict;
}

/** A partition t/0 at `position`. */
function scene(position: number, policy: Partial<PositionPolicy> = {}): Scene {
  const ledger = new Ledger<EntryResult>();
  ledger.begin([{ topic: 't', partition: 0, nextOffset: position }]);
  const guard = new PositionGuard(ledger, { ...POLICY, ...policy });
  return {
    guard,
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
  const { check } = scene(50, { onLostRecords: 'stop' });
  check(80);
  const verdict = check(80);
  assert.equal(verdict.kind, 'refuse');
  assert.match(verdict.kind === 'refuse' ? verdict.error.message : '', /kafka\.on_lost_records: earliest/);
});
