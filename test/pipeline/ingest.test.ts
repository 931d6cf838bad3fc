import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../../src/core/errors.ts';
import { type BatchSpec, deliveryOf, IngestHarness } from '../helpers/ingest-harness.ts';
import { TOPIC } from '../helpers/write-units.ts';

function bytesOf(input: ArrayBuffer, length: number): number[] {
  return [...new Uint8Array(input, 0, length)];
}

/** Batches of one offset each. */
function batches(count: number, bytes: number, from = 0): BatchSpec[] {
  return Array.from({ length: count }, (_, index) => [from + index, from + index, bytes] as const);
}

test('batches are copied whole into tasks of the given size, and resolved task by task', async () => {
  const harness = new IngestHarness({ taskBytes: 1000, tasksInFlight: 10 }, { 0: 10 });
  harness.assign(0);
  const delivery = deliveryOf({
    fetched: 10,
    batches: [
      [10, 14, 400],
      [15, 15, 600],
      [16, 19, 1],
      [20, 22, 2500],
      [23, 23, 1000],
    ],
    next: 30,
  });
  await harness.ingest.deliver(delivery);
  for (const { bytes } of delivery.batches) bytes.fill(0);
  assert.deepEqual(
    harness.tasks.map(({ firstOffset, inputBytes }) => [firstOffset, inputBytes]),
    [
      [10, 1000],
      [16, 1],
      [20, 2500],
      [23, 1000],
    ],
  );
  const [first] = harness.tasks;
  assert.ok(first !== undefined);
  assert.deepEqual(bytesOf(first.input, 1000), [...Array(400).fill(10), ...Array(600).fill(15)]);
  assert.deepEqual(delivery.resolved, [16, 20, 23, 30]);
  await harness.finishAll();
  assert.deepEqual(harness.ranges(), ['0:10-16', '0:16-20', '0:20-23', '0:23-30']);
});

test('results are handed on in offset order per partition, whatever order they come in', async () => {
  const harness = new IngestHarness({ taskBytes: 1 }, { 0: 0, 1: 0 });
  harness.assign(0, 1);
  await harness.deliver({ fetched: 0, batches: batches(3, 10) });
  await harness.deliver({ partition: 1, fetched: 0, batches: batches(1, 10) });
  await harness.running[2]?.finish();
  await harness.running[1]?.finish();
  assert.deepEqual(harness.ranges(), []);
  await harness.running[1]?.finish();
  assert.deepEqual(harness.ranges(), ['1:0-1']);
  await harness.running[0]?.finish();
  assert.deepEqual(harness.ranges(), ['1:0-1', '0:0-1', '0:1-2', '0:2-3']);
});

for (const [bound, options] of [
  ['bytes', { queueBytes: 1000, queueItems: 1000 }],
  ['items', { queueBytes: 1_000_000, queueItems: 3 }],
] as const) {
  test(`the queue is bounded by ${bound}: a delivery waits with heartbeats, and loses nothing`, async () => {
    const harness = new IngestHarness({ taskBytes: 300, tasksInFlight: 1, ...options }, { 0: 0 });
    harness.assign(0);
    const delivery = deliveryOf({ fetched: 0, batches: batches(10, 300) });
    const delivered = harness.ingest.deliver(delivery);
    await sleep(1100);
    assert.equal(delivery.heartbeats.length, 2, 'one for each half second');
    assert.equal(delivery.resolved.length, 4, 'one task runs and three wait');
    await harness.finishAll();
    await delivered;
    await harness.finishAll();
    assert.ok(harness.queued.maxItems <= 3 && harness.queued.maxBytes <= 1000);
    assert.deepEqual(
      harness.ranges(),
      batches(10, 300).map(([offset]) => `0:${offset}-${offset + 1}`),
    );
  });
}

test('while it is held it takes nothing, sends heartbeats, and then goes on', async () => {
  const harness = new IngestHarness({ taskBytes: 300, tasksInFlight: 1, queueItems: 100 }, { 0: 0 });
  harness.assign(0);
  harness.ingest.hold(true);
  const delivery = deliveryOf({ fetched: 0, batches: batches(2, 300) });
  const delivered = harness.ingest.deliver(delivery);
  await sleep(1100);
  assert.deepEqual([delivery.resolved.length, delivery.heartbeats.length], [0, 2]);
  harness.ingest.hold(false);
  await delivered;
  await harness.finishAll();
  assert.deepEqual(harness.ranges(), ['0:0-1', '0:1-2']);
});

test('a rejected heartbeat ends the delivery with that error, and what was taken stays taken', async () => {
  const harness = new IngestHarness({ taskBytes: 300, tasksInFlight: 1, queueItems: 1 }, { 0: 0 });
  harness.assign(0);
  const error = new Error('The group is rebalancing');
  const heartbeat = async (): Promise<void> => {
    throw error;
  };
  await assert.rejects(harness.deliver({ fetched: 0, batches: batches(4, 300), heartbeat }), error);
  await harness.finishAll();
  assert.deepEqual(harness.ranges(), ['0:0-1', '0:1-2']);
  assert.deepEqual(harness.failures, []);
});

test('a delivery that became stale is dropped, and its offsets are taken when they come again', async () => {
  const harness = new IngestHarness({}, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: batches(2, 10), stale: true });
  assert.equal(harness.tasks.length, 0);
  await harness.deliver({ fetched: 0, batches: batches(2, 10) });
  await harness.finishAll();
  assert.deepEqual(harness.ranges(), ['0:0-2']);
});

test('a new assignment lets a waiting delivery go, drops the queue, and reads again what was not handed on', async () => {
  const harness = new IngestHarness({ taskBytes: 300, tasksInFlight: 1, queueItems: 2 }, { 0: 0 });
  harness.assign(0);
  const waiting = deliveryOf({ fetched: 0, batches: batches(10, 300) });
  const delivered = harness.ingest.deliver(waiting);
  await harness.running[0]?.finish();
  harness.release();
  assert.deepEqual(harness.ranges(), ['0:0-1']);
  const resolved = waiting.resolved.length;
  assert.deepEqual(harness.assign(0), ['0@1']);
  await delivered;
  assert.equal(waiting.resolved.length, resolved);
  assert.equal(harness.queued.items, 0);
  await harness.deliver({ fetched: 1, batches: batches(1, 300, 1) });
  await harness.finishAll();
  assert.deepEqual(harness.ranges(), ['0:0-1', '0:1-2']);
});

test('results that were under way during a rebalance are dropped, and their buffers used again', async () => {
  const harness = new IngestHarness({ taskBytes: 1, tasksInFlight: 4 }, { 0: 0 });
  harness.assign(0);
  for (let epoch = 0; epoch < 20; epoch += 1) {
    await harness.deliver({ fetched: 0, batches: batches(4, 10) });
    assert.deepEqual(harness.assign(0), ['0@0']);
    while (harness.running.length > 0) await harness.running[0]?.finish();
  }
  assert.deepEqual(harness.ranges(), []);
  await harness.deliver({ fetched: 0, batches: batches(4, 10) });
  assert.equal(harness.running.length, 4);
  await harness.finishAll();
  assert.equal(harness.ranges().length, 4);
});

test('memory goes round: thousands of tasks use a handful of buffers', async () => {
  const harness = new IngestHarness({ tasksInFlight: 8 }, { 0: 0 });
  harness.assign(0);
  for (let offset = 0; offset < 3000; offset += 6) {
    await harness.deliver({ fetched: offset, batches: batches(6, 400, offset) });
    await harness.finishAll();
  }
  assert.equal(harness.tasks.length, 1500);
  assert.ok(new Set(harness.tasks.map(({ output }) => output)).size <= 20);
  assert.ok(new Set(harness.tasks.map(({ input }) => input)).size <= 20);
});

test('without buffers the pool gets nothing, until the writer gives some back', async () => {
  const harness = new IngestHarness({ taskBytes: 1, tasksInFlight: 2 }, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: batches(100, 10) });
  while (harness.running.length > 0) await harness.running[0]?.finish();
  const started = harness.tasks.length;
  assert.ok(started < 30, `${started} tasks were started`);
  await harness.finishAll();
  harness.release();
  await harness.finishAll();
  assert.equal(harness.tasks.length, 100);
});

test('a few results that have grown large stop the pool as many small ones do', async () => {
  const harness = new IngestHarness({ taskBytes: 1, tasksInFlight: 2 }, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: batches(20, 10) });
  for (let count = 0; count < 3; count += 1) await harness.running[0]?.finish(new ArrayBuffer(20_000_000));
  await harness.running[0]?.finish();
  assert.equal(harness.running.length, 0);
  assert.ok(harness.tasks.length < 6, `${harness.tasks.length} tasks were started`);
  harness.release();
  await harness.finishAll();
  assert.equal(harness.tasks.length, 20);
});

test('a drain ends when everything taken was handed on, and nothing more is taken', async () => {
  const harness = new IngestHarness({ taskBytes: 300, tasksInFlight: 1, queueItems: 2 }, { 0: 0 });
  harness.assign(0);
  await new IngestHarness().ingest.drain();
  const waiting = deliveryOf({ fetched: 0, batches: batches(10, 300) });
  const delivered = harness.ingest.deliver(waiting);
  let drained = false;
  const drain = harness.ingest.drain().then(() => {
    drained = true;
  });
  await delivered;
  await sleep(0);
  assert.equal(drained, false);
  await harness.finishAll();
  await drain;
  assert.deepEqual(harness.ranges(), ['0:0-1', '0:1-2', '0:2-3']);
  const late = await harness.deliver({ fetched: 3, batches: batches(1, 10, 3) });
  harness.skip(0, 3, 9);
  assert.deepEqual([late.resolved, harness.ranges().length], [[], 3]);
});

test('a drain ends also when a rebalance takes the work away meanwhile', async () => {
  const harness = new IngestHarness({ taskBytes: 1 }, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: batches(8, 10) });
  const drain = harness.ingest.drain();
  harness.assign(0);
  await harness.finishAll();
  const late = Symbol('late');
  assert.notEqual(await Promise.race([drain, sleep(500, late)]), late);
});

test('records that Kafka deleted are given up as configured, in order with the rest', async () => {
  const harness = new IngestHarness({}, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: [[0, 4]] });
  // The first time, we may only have been moved while a fetch was under way.
  await harness.deliver({ fetched: 50, batches: [[50, 59]] });
  assert.deepEqual(harness.seeks, ['0@5']);
  await harness.deliver({ fetched: 50, batches: [[50, 59]] });
  assert.deepEqual(harness.skipped, [], 'the unit before it is not finished');
  await harness.finishAll();
  assert.deepEqual(harness.skipped, ['0:5-50 deleted_by_kafka']);
  assert.deepEqual(harness.told, ['jumped 0:5-50 deleted_by_kafka']);
  assert.deepEqual(harness.ranges(), ['0:0-5', '0:50-60']);
});

test('a delivery from before a rebalance is not taken for a loss', async () => {
  const harness = new IngestHarness({}, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: [[0, 49]] });
  assert.deepEqual(harness.assign(0), ['0@0']);
  await harness.deliver({ fetched: 50, batches: [[50, 59]], highWatermark: 100 });
  await harness.deliver({ fetched: 0, batches: [[0, 49]], highWatermark: 100 });
  await harness.deliver({ fetched: 50, batches: [[50, 59]], highWatermark: 100 });
  await harness.finishAll();
  assert.deepEqual([harness.skipped, harness.ranges()], [[], ['0:0-50', '0:50-60']]);
});

test('a topic that was created again is read from its beginning, as configured', async () => {
  const harness = new IngestHarness({}, { 0: 1000 });
  harness.assign(0);
  for (let time = 0; time < 2; time += 1)
    await harness.deliver({ fetched: 0, batches: [[0, 4]], highWatermark: 5 });
  await harness.finishAll();
  assert.deepEqual([harness.seeks, harness.skipped], [['0@1000'], ['0:1000-0 topic_recreated']]);
  assert.deepEqual(harness.ranges(), ['0:0-5']);
});

for (const [what, position, fetched] of [
  ['lost records', 5, 50],
  ['a topic that was created again', 1000, 0],
] as const) {
  test(`where the policy says stop, ${what} end the service, and nothing is taken`, async () => {
    const policy = { onLostRecords: 'stop', onPositionConflict: 'stop', onTopicRecreated: 'stop' } as const;
    const harness = new IngestHarness({ policy }, { 0: position });
    harness.assign(0);
    for (let time = 0; time < 2; time += 1)
      await harness.deliver({ fetched, batches: [[fetched, fetched + 9]] });
    const [error] = harness.failures;
    assert.ok(error instanceof ServiceError && error.code === 'POSITION_IMPOSSIBLE');
    assert.deepEqual([harness.tasks, harness.skipped, harness.ranges()], [[], [], []]);
  });
}

test('a delivery from before where we stand is asked for again from there', async () => {
  const harness = new IngestHarness({}, { 0: 100 });
  harness.assign(0);
  for (let time = 0; time < 3; time += 1) {
    await harness.deliver({ fetched: 90, batches: [[90, 109]], highWatermark: 500 });
  }
  assert.deepEqual(harness.seeks, ['0@100', '0@100', '0@100']);
  assert.equal(harness.tasks.length, 0);
});

test('offsets without a record move the position, in order', async () => {
  const harness = new IngestHarness({}, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: [[0, 4]] });
  harness.skip(0, 5, 7);
  harness.skip(0, 5, 7);
  assert.deepEqual(harness.ranges(), []);
  await harness.finishAll();
  assert.deepEqual(harness.ranges(), ['0:0-5', '0:5-7']);
  assert.equal(harness.appended[1]?.output, null);
  await harness.deliver({ fetched: 7, batches: [[7, 8]] });
  await harness.finishAll();
  assert.equal(harness.ranges().at(-1), '0:7-9');
});

test('what comes late of a partition that was taken from us is left alone', async () => {
  const harness = new IngestHarness({}, { 0: 0, 1: 0 });
  harness.assign(0, 1);
  harness.assign(0);
  const late = await harness.deliver({ partition: 1, fetched: 0, batches: [[0, 4]] });
  harness.skip(1, 0, 9);
  await harness.finishAll();
  assert.deepEqual([late.resolved, harness.ranges(), harness.failures], [[], [], []]);
});

test('a backlog that was caught up is checkpointed at once, and nothing less is', async () => {
  const harness = new IngestHarness({}, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: [[0, 4]], highWatermark: 5 });
  await harness.finishAll();
  await harness.deliver({ fetched: 5, batches: [[5, 9]], highWatermark: 100_000 });
  await harness.finishAll();
  assert.deepEqual(harness.told, []);
  await harness.deliver({ fetched: 10, batches: [[10, 99_999]], highWatermark: 100_000 });
  assert.deepEqual(harness.told, []);
  await harness.finishAll();
  assert.deepEqual(harness.told, ['checkpoint asked for']);
});

test('a failing pool ends the service', async () => {
  const harness = new IngestHarness({}, { 0: 0 });
  harness.assign(0);
  await harness.deliver({ fetched: 0, batches: [[0, 4]] });
  const error = new Error('the worker died');
  await harness.running[0]?.fail(error);
  assert.deepEqual(harness.failures, [error]);
});

test('a checkpoint tells latency and lag, and is committed', async () => {
  const harness = new IngestHarness({}, { 0: 0, 1: 0 });
  harness.assign(0, 1);
  await harness.deliver({ fetched: 0, batches: [[0, 4]], highWatermark: 25 });
  await harness.finishAll();
  const positions = [{ topic: TOPIC, partition: 0, nextOffset: 5 }];
  const checkpoint = { kind: 'checkpointed', durationMs: 1, positions, fileBytes: {} } as const;
  harness.ingest.onWriterEvent({ ...checkpoint, sequence: 8, durableUnits: 1 });
  harness.ingest.onWriterEvent({ ...checkpoint, sequence: 9, durableUnits: 1 });
  assert.deepEqual(harness.told, ['latency of 1', 'durable 8', 'lag 0: 20', 'durable 9', 'lag 0: 20']);
  assert.deepEqual(harness.commits, [8, 9]);
  assert.equal(harness.acknowledgements.outstanding?.sequence, 9);
});
