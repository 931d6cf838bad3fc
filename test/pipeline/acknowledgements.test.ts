import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Acknowledgements } from '../../src/pipeline/acknowledgements.ts';

const at = (partition: number, nextOffset: number) => ({ topic: 't', partition, nextOffset });

function atRest(nextOffset: number): Acknowledgements {
  const checkpoint = { sequence: 4, positions: [at(0, nextOffset)] };
  return new Acknowledgements(checkpoint, checkpoint);
}

test('what is handed over is unacknowledged until Kafka has taken its checkpoint', () => {
  const acknowledgements = atRest(10);
  assert.equal(acknowledgements.isSettled, true);
  acknowledgements.handed(at(0, 15));
  acknowledgements.handed(at(0, 20));
  assert.deepEqual(acknowledgements.unacknowledgedRanges(), [{ topic: 't', partition: 0, from: 10, to: 20 }]);
  acknowledgements.checkpointed({ sequence: 5, positions: [at(0, 15)] }, 1);
  assert.deepEqual(acknowledgements.outstandingRanges(), [{ topic: 't', partition: 0, from: 10, to: 15 }]);
  acknowledgements.acknowledged(4);
  assert.equal(acknowledgements.outstanding?.sequence, 5, 'an older answer says nothing new');
  acknowledgements.acknowledged(5);
  assert.deepEqual(acknowledgements.unacknowledgedRanges(), [{ topic: 't', partition: 0, from: 15, to: 20 }]);
  assert.equal(acknowledgements.isSettled, false);
  acknowledgements.checkpointed({ sequence: 6, positions: [at(0, 20)] }, 2);
  acknowledgements.acknowledged(6);
  assert.equal(acknowledgements.isSettled, true);
});

test('a start knows the checkpoint that nobody has confirmed', () => {
  const acknowledgements = new Acknowledgements(
    { sequence: 5, positions: [at(0, 20)] },
    { sequence: 4, positions: [at(0, 10)] },
  );
  assert.equal(acknowledgements.isSettled, false);
  assert.equal(acknowledgements.filed('t', 0), 20);
  assert.deepEqual(acknowledgements.outstandingRanges(), [{ topic: 't', partition: 0, from: 10, to: 20 }]);
});

test('what others stored is never ours to lose', () => {
  const acknowledgements = atRest(10);
  acknowledgements.handed(at(0, 50));
  acknowledgements.begin(at(0, 50));
  acknowledgements.begin(at(1, 7));
  acknowledgements.handed(at(1, 9));
  assert.deepEqual(acknowledgements.unacknowledgedRanges(), [{ topic: 't', partition: 1, from: 7, to: 9 }]);
});

test('a roll-back forgets everything since', () => {
  const acknowledgements = atRest(10);
  acknowledgements.handed(at(0, 20));
  acknowledgements.rolledBack({ sequence: 7, positions: [at(0, 10)] });
  assert.deepEqual([acknowledgements.isSettled, acknowledgements.filed('t', 0)], [true, 10]);
});

test('waiting ends with the acknowledgement, when it is pointless, or in time', async () => {
  const acknowledgements = atRest(10);
  await acknowledgements.whenSettled(60_000);
  acknowledgements.handed(at(0, 20));
  const startedAt = performance.now();
  await acknowledgements.whenSettled(30);
  assert.ok(performance.now() - startedAt >= 25);
  const waiting = acknowledgements.whenSettled(60_000);
  acknowledgements.wake();
  await waiting;
  const settled = acknowledgements.whenSettled(60_000);
  acknowledgements.checkpointed({ sequence: 5, positions: [at(0, 20)] }, 1);
  acknowledgements.acknowledged(5);
  await settled;
});
