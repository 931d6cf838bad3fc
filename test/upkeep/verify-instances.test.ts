/** Several instances below one root, as their consumer group left them. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { verify } from '../../src/upkeep/verify.ts';
import { storedLines } from '../helpers/stored-files.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { lineOf, TOPIC, unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

function unit(from: number, to: number) {
  return unitOf(0, from, new Array(to - from).fill([]));
}

/** An instance that stored the ranges, as Kafka acknowledged, and passed over what lies between. */
async function instance(root: string, id: string, ...ranges: readonly (readonly [number, number])[]) {
  const harness = new WriterHarness(join(root, 'instances', id), { bufferRecords: 1 });
  let reached = ranges[0]?.[0] ?? 0;
  for (const [from, to] of ranges) {
    const reason = 'stored_by_others';
    if (from > reached) {
      harness.writer.request({ kind: 'skip', topic: TOPIC, partition: 0, from: reached, to: from, reason });
    }
    harness.append(unit(from, to));
    reached = to;
  }
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed');
  // One more checkpoint says that Kafka has taken the one with the records.
  harness.append(unit(reached, reached));
  await harness.stop();
}

/**
 * An instance that died after a checkpoint of [0, 8) was taken by Kafka and one of [0, 12), which rotated
 * its file, was not.
 */
async function deadInstance(context: TestContext, root: string): Promise<void> {
  const directory = temporaryDirectory(context);
  const limit = 8 * lineOf(0, 0).length;
  const harness = new WriterHarness(directory, { bufferRecords: 1, maxFileBytes: limit }, 'silent');
  harness.append(unit(0, 4));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed');
  harness.acknowledge(1);
  harness.append(unit(4, 8), unit(8, 9));
  await harness.wait('rotated');
  cpSync(directory, join(root, 'instances', 'dead'), { recursive: true });
  harness.acknowledge(2);
  await harness.stop();
}

test('a partition that went from one to another and back is stored once', async (context) => {
  const root = temporaryDirectory(context);
  await instance(root, 'a', [0, 10], [20, 30]);
  await instance(root, 'b', [10, 20]);
  const report = await verify(root);
  assert.deepEqual(report.problems, []);
  assert.deepEqual(report.instances, ['instances/a', 'instances/b']);
  assert.equal(report.records, 30);
  const { first_offset, next_offset, lost } = report.partitions['logs/0'] ?? {};
  assert.deepEqual([first_offset, next_offset, lost], [0, 30, []]);
});

test('what nobody stored, and what two stored, is named', async (context) => {
  const root = temporaryDirectory(context);
  await instance(root, 'a', [0, 10], [20, 30]);
  await instance(root, 'b', [12, 22]);
  assert.deepEqual((await verify(root)).problems, [
    "logs/0: offsets 10 to 11 are in no instance's files.",
    'logs/0: offsets 20 to 21 are in the files of instances/b and of instances/a.',
  ]);
});

test('damage in one instance is named with it', async (context) => {
  const root = temporaryDirectory(context);
  await instance(root, 'a', [0, 10]);
  await instance(root, 'b', [10, 20]);
  cpSync(join(root, 'instances/a/service_logs.jsonl'), join(root, 'instances/b/service_logs.jsonl'));
  const { problems } = await verify(root);
  assert.ok(problems.length > 0 && problems.every((problem) => problem.startsWith('instances/b: ')));
});

test('a dead instance counts up to its last checkpoint, as long as nobody else read what it added', async (context) => {
  const root = temporaryDirectory(context);
  await deadInstance(context, root);
  assert.deepEqual((await verify(root)).problems, []);
  assert.equal((await verify(root)).records, 8);
  await instance(root, 'b', [8, 20]);
  assert.deepEqual((await verify(root)).problems, []);
  assert.equal((await verify(root)).records, 20);
});

test('what Kafka never took of a dead instance does not count once another has read it', async (context) => {
  const root = temporaryDirectory(context);
  await deadInstance(context, root);
  await instance(root, 'b', [4, 20]);
  const report = await verify(root);
  assert.deepEqual([report.problems, report.records], [[], 20]);
  const lines = await storedLines(root, 'service_logs');
  const expected = Array.from({ length: 20 }, (_, offset) => lineOf(0, offset).trimEnd());
  assert.deepEqual(lines.toSorted(), expected.toSorted());
});
