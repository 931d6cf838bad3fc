import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Checkpoint } from '../../src/storage/checkpoint.ts';
import { Acknowledgement, RolledBack } from '../../src/write/acknowledgement.ts';

const checkpoint = (sequence: number): Checkpoint => ({ sequence }) as Checkpoint;

test('a start waits for the newest checkpoint, unless it is known to be taken', () => {
  assert.equal(new Acknowledgement(checkpoint(4), checkpoint(4)).isWaiting, false);
  const ahead = new Acknowledgement(checkpoint(5), checkpoint(4));
  assert.deepEqual([ahead.isWaiting, ahead.acknowledged.sequence], [true, 4]);
});

test('only the answer to the one that waits counts', async () => {
  const acknowledgement = new Acknowledgement(checkpoint(4), checkpoint(4));
  await acknowledgement.settled();
  acknowledgement.begin(checkpoint(5));
  acknowledgement.take(4);
  assert.equal(acknowledgement.isWaiting, true);
  const settled = acknowledgement.settled();
  acknowledgement.take(5);
  await settled;
  assert.deepEqual([acknowledgement.isWaiting, acknowledgement.acknowledged.sequence], [false, 5]);
});

test('whoever waits is told when nothing will come', async () => {
  const acknowledgement = new Acknowledgement(checkpoint(5), checkpoint(4));
  const settled = acknowledgement.settled();
  acknowledgement.abandon();
  await assert.rejects(settled, RolledBack);
  await assert.rejects(acknowledgement.settled(), RolledBack, 'also whoever comes later');
});
