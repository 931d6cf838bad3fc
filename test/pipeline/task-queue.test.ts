import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../src/consume/ledger.ts';
import { type EntryResult, type QueuedTask, TaskQueue } from '../../src/pipeline/task-queue.ts';

function task(inputBytes: number): QueuedTask {
  const ledger = new Ledger<EntryResult>();
  ledger.begin([{ topic: 't', partition: 0, nextOffset: 0 }]);
  return { entry: ledger.take('t', 0, 1), input: new ArrayBuffer(inputBytes), inputBytes };
}

test('whoever waits is woken when half of the bytes are free', async () => {
  const queue = new TaskQueue(10, 100);
  for (let count = 0; count < 4; count += 1) assert.ok(queue.push(task(25), 25));
  assert.ok(!queue.push(task(1), 1));
  let woken = 0;
  const waiting = [1, 2].map(() => queue.waitForRoom(60_000).then(() => (woken += 1)));
  queue.shift();
  await Promise.resolve();
  assert.equal(woken, 0);
  queue.shift();
  await Promise.all(waiting);
  assert.equal(woken, 2);
});

test('waiting ends after its time', async () => {
  const startedAt = performance.now();
  await new TaskQueue(1, 1).waitForRoom(30);
  assert.ok(performance.now() - startedAt >= 25);
});

test('a wait that is over leaves nothing behind, however long the queue stays full', async (context) => {
  const queue = new TaskQueue(1, 1);
  await Promise.all(Array.from({ length: 100 }, () => queue.waitForRoom(1)));
  const cleared = context.mock.method(globalThis, 'clearTimeout');
  queue.wake();
  assert.equal(cleared.mock.callCount(), 0);
});
