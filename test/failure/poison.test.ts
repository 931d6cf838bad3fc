import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { produceBatch } from '../helpers/batch-producer.ts';
import { buildRecordBatch, sealRecordBatch } from '../helpers/record-batch-builder.ts';
import { waitFor } from '../helpers/service.ts';
import { storedLines } from '../helpers/stored-files.ts';
import { EventLoopWatch } from './helpers/event-loop.ts';
import { type Poison, poisons } from './helpers/poison.ts';
import { report } from './helpers/report.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const MAX_EVENT_LOOP_DELAY_SECONDS = 1;

type Fields = Readonly<Record<string, unknown>>;

/** A record that has to flow after the poison of that name. */
function afterOf({ name }: Poison): Buffer {
  return buildRecordBatch({ records: [{ value: JSON.stringify({ message: `after ${name}` }) }] });
}

/** What must be in quarantine.jsonl: offset and reason of every poison that is not stored. */
function expectedQuarantine(list: readonly Poison[]): [number, string, string][] {
  let offset = 0;
  const expected: [number, string, string][] = [];
  for (const { name, outcome, records } of list) {
    if (outcome !== 'stored') expected.push([offset, outcome, name]);
    offset += records + 1;
  }
  return expected;
}

async function checkOutcome(directory: string, list: readonly Poison[]): Promise<void> {
  const quarantined = (await storedLines(directory, 'quarantine')).map((line) => JSON.parse(line) as Fields);
  assert.deepEqual(
    quarantined.map(({ offset, reason }) => [offset, reason]),
    expectedQuarantine(list).map(([offset, reason]) => [offset, reason]),
  );
  const lines = await storedLines(directory, 'service_logs');
  const stored = list.filter(({ outcome }) => outcome === 'stored');
  assert.equal(lines.length, stored.reduce((sum, { records }) => sum + records, 0) + list.length);
  const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
  assert.deepEqual(
    messages.filter((message) => message.startsWith('after ')),
    list.map(({ name }) => `after ${name}`),
  );
  assert.ok(!lines.some((line) => /[\u2028\u2029\u0085]/.test(line)));
  const verified = await verify(directory);
  assert.deepEqual(verified.problems, []);
  assert.equal(verified.records, lines.length);
  const quarantinedRecords = list.filter(({ outcome }) => outcome !== 'stored');
  assert.equal(
    verified.quarantined,
    quarantinedRecords.reduce((sum, { records }) => sum + records, 0),
  );
}

test('row 14: poison records are stored or quarantined once each, and later records flow', async (t) => {
  const { seed, random } = seeded(t);
  const scene = await Scene.set(t, {
    name: 'poison',
    random,
    partitions: 1,
    topicConfig: { 'max.message.bytes': '20000000' },
  });
  const list = poisons();
  const half = Math.floor(list.length / 2);
  const delays: number[] = [];
  for (const part of [list.slice(0, half), list.slice(half)]) {
    const service = scene.start();
    await waitFor('the service to be ready', async () => (await service.get('/health/ready')).status === 200);
    const watch = await EventLoopWatch.begin(service);
    for (const poison of part) {
      await produceBatch(scene.bootstrap, scene.topic, poison.batch);
      await produceBatch(scene.bootstrap, scene.topic, afterOf(poison));
    }
    await scene.waitUntilCommitted(120_000);
    delays.push(await watch.end());
    // What was quarantined before a kill must not come again after it.
    service.kill('SIGKILL');
    await service.exited;
    await scene.expelDeadMembers();
  }
  await checkOutcome(scene.directory, list);
  const proto = (await storedLines(scene.directory, 'service_logs')).find((line) =>
    line.includes('"constructor":2'),
  );
  const { extra } = JSON.parse(proto ?? '') as { extra: object };
  assert.deepEqual(Object.keys(extra), ['__proto__', 'constructor']);
  const delay = Math.max(...delays);
  assert.ok(delay < MAX_EVENT_LOOP_DELAY_SECONDS, `the event loop stood still for ${delay} s`);
  report(t, {
    row: 14,
    failure: 'poison records and compression bombs of every codec',
    seed,
    figures: { poisons: list.length, event_loop_delay_seconds: delay.toFixed(3) },
  });
});

test('row 14: an unknown codec and a damaged batch, which only a disk can hold', async (t) => {
  const { seed, random } = seeded(t);
  const broker = await startKafka();
  t.after(() => broker.stop());
  const scene = await Scene.set(t, { name: 'codec', random, partitions: 1, bootstrap: broker.bootstrap });
  const damages: readonly (readonly [Poison['outcome'], (batch: Buffer) => void])[] = [
    ['unsupported_codec', (batch) => sealRecordBatch(Object.assign(batch, { 22: (batch[22] ?? 0) | 7 }))],
    ['corrupt_batch', (batch) => Object.assign(batch, { 70: (batch[70] ?? 0) ^ 1 })],
  ];
  const records = Array.from({ length: 3 }, (_, number) => ({ value: `{"message":"poison ${number}"}` }));
  const list = damages.map(([outcome]): Poison => {
    return { name: outcome, outcome, records: records.length, batch: buildRecordBatch({ records }) };
  });
  for (const poison of list) {
    await produceBatch(scene.bootstrap, scene.topic, poison.batch);
    await produceBatch(scene.bootstrap, scene.topic, afterOf(poison));
  }
  broker.kill('SIGTERM');
  await broker.ended();
  const segment = join(broker.directory, 'data', `${scene.topic}-0`, '00000000000000000000.log');
  const bytes = readFileSync(segment);
  let at = 0;
  for (const [index, [, damage]] of damages.entries()) {
    damage(bytes.subarray(at, at + (list[index]?.batch.length ?? 0)));
    at += (list[index]?.batch.length ?? 0) + afterOf(list[index] as Poison).length;
  }
  assert.equal(at, bytes.length);
  writeFileSync(segment, bytes);
  await broker.restart();
  const service = scene.start();
  await scene.waitUntilCommitted();
  assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
  await checkOutcome(scene.directory, list);
  report(t, { row: 14, failure: 'unknown codec, wrong CRC', seed, figures: { batches: list.length } });
});
