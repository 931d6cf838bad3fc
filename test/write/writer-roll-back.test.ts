/** A writer whose checkpoints Kafka takes late, or not at all. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCheckpoint } from '../../src/storage/checkpoint.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { hookFileSystem, systemError } from '../helpers/file-system-hook.ts';
import { closedFiles } from '../helpers/log-directory.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { lineOf, TOPIC, unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

function activeText(directory: string): string {
  return readFileSync(join(directory, 'service_logs.jsonl'), 'utf8');
}

function lines(...offsets: readonly number[]): string {
  return offsets.map((offset) => lineOf(0, offset)).join('');
}

const LINE = lineOf(0, 0).length;

test('no checkpoint is begun before Kafka has taken the one before', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1, checkpointIntervalMs: 5 }, 'silent');
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('checkpointed');
  harness.append(unitOf(0, 1, [[]]));
  await sleep(50);
  assert.equal(harness.of('checkpointed').length, 1);
  assert.equal(activeText(directory), lines(0, 1), 'lines are written meanwhile');
  harness.acknowledge(1);
  const second = await harness.wait('checkpointed', 2);
  assert.deepEqual(second.positions, [{ topic: TOPIC, partition: 0, nextOffset: 2 }]);
  harness.acknowledge(2);
  await harness.stop();
});

test('a rotation waits too, and goes on with the acknowledgement', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1, maxFileBytes: LINE }, 'silent');
  for (let offset = 0; offset < 3; offset += 1) harness.append(unitOf(0, offset, [[]]));
  await harness.wait('rotated');
  await sleep(30);
  assert.deepEqual([harness.of('rotated').length, activeText(directory)], [1, lines(1)]);
  harness.acknowledge(1);
  await harness.wait('rotated', 2);
  harness.acknowledge(2);
  await harness.stop();
});

test('a roll-back cuts everything since the last acknowledged checkpoint, and goes on from there', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 }, 'silent');
  harness.append(unitOf(0, 0, [[]]));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed');
  harness.acknowledge(1);
  harness.append(unitOf(0, 1, [[], 'quarantined']));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed', 2);
  harness.append(unitOf(0, 3, [[]]));
  await harness.wait('released', 3);
  harness.writer.request({ kind: 'roll_back' });
  const { checkpoint } = await harness.wait('rolled_back');
  assert.deepEqual(checkpoint, { sequence: 3, positions: [{ topic: TOPIC, partition: 0, nextOffset: 1 }] });
  assert.equal(activeText(directory), lines(0));
  harness.append(unitOf(0, 1, [[]]));
  await harness.stop();
  assert.equal(activeText(directory), lines(0, 1));
  assert.equal(harness.of('checkpointed').at(-1)?.durableUnits, 1, 'units are counted anew');
  assert.deepEqual((await verify(directory)).problems, []);
});

test('what was passed over since the last acknowledged checkpoint is forgotten with the rest', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 }, 'silent');
  harness.append(unitOf(0, 0, [[]]));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed');
  harness.acknowledge(1);
  const skip = {
    kind: 'skip',
    topic: TOPIC,
    partition: 0,
    from: 1,
    to: 5,
    reason: 'stored_by_others',
  } as const;
  harness.writer.request(skip);
  harness.append(unitOf(0, 5, [[]]));
  await harness.wait('released', 2);
  harness.writer.request({ kind: 'roll_back' });
  await harness.wait('rolled_back');
  harness.writer.request(skip);
  harness.append(unitOf(0, 5, [[]]));
  await harness.stop();
  const { problems, partitions } = await verify(directory);
  assert.deepEqual(problems, []);
  assert.deepEqual(partitions['logs/0']?.lost, [{ from: 1, to: 5, reason: 'stored_by_others' }]);
});

test('a rotation that Kafka never took is undone, with the buffers of what waited behind it', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1, maxFileBytes: 2 * LINE }, 'silent');
  harness.append(
    unitOf(0, 0, [[]]),
    unitOf(0, 1, [[]]),
    unitOf(0, 2, [[]]),
    unitOf(0, 3, [[]]),
    unitOf(0, 4, [[]]),
  );
  await harness.wait('rotated');
  await sleep(20);
  harness.append(unitOf(0, 5, [[]]));
  assert.equal(closedFiles(directory, 'service_logs').length, 1);
  harness.writer.request({ kind: 'roll_back' });
  await harness.wait('rolled_back');
  assert.deepEqual([closedFiles(directory, 'service_logs').length, activeText(directory)], [0, '']);
  const units = harness.of('released').reduce((sum, event) => sum + event.units, 0);
  assert.equal(units, 6, 'every buffer comes back');
  harness.append(unitOf(0, 0, [[]]));
  await harness.stop();
  assert.equal(activeText(directory), lines(0));
  assert.deepEqual((await verify(directory)).problems, []);
});

test('a roll-back comes through while the disk is full', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 }, 'silent');
  const release = hookFileSystem((call) => {
    if (call === 'writevSync') throw systemError('ENOSPC');
  });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('blocked');
  harness.writer.request({ kind: 'roll_back' });
  await harness.wait('rolled_back');
  await harness.wait('unblocked');
  release();
  harness.append(unitOf(0, 0, [[]]));
  await harness.stop();
  assert.equal(activeText(directory), lines(0));
});

test('a checkpoint that a roll-back took off a full disk does not hold up the rotations after it', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1, maxFileBytes: LINE }, 'silent');
  const release = hookFileSystem((call) => {
    if (call === 'writeFile') throw systemError('ENOSPC');
  });
  context.after(release);
  harness.append(unitOf(0, 0, [[]]));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('blocked');
  harness.writer.request({ kind: 'roll_back' });
  await harness.wait('rolled_back');
  release();
  harness.append(unitOf(0, 0, [[]]));
  harness.append(unitOf(0, 1, [[]]));
  await harness.wait('rotated');
  harness.acknowledge(harness.of('checkpointed').at(-1)?.sequence ?? 0);
  await harness.stop();
});

test('a stop that waits for Kafka is not lost in a roll-back', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 }, 'silent');
  harness.append(unitOf(0, 0, [[]]));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed');
  harness.append(unitOf(0, 1, [[]]));
  harness.writer.request({ kind: 'stop' });
  await sleep(20);
  assert.equal(harness.of('stopped').length, 0);
  harness.writer.request({ kind: 'roll_back' });
  await harness.wait('stopped');
  assert.equal(activeText(directory), '');
});

test('a restart finds what Kafka is not known to have taken, and can still go back', async (context) => {
  const options = { bufferRecords: 1, maxFileBytes: LINE };
  const killed = temporaryDirectory(context);
  const first = new WriterHarness(killed, options, 'silent');
  first.append(unitOf(0, 7, [[]]));
  first.writer.request({ kind: 'checkpoint' });
  await first.wait('checkpointed');
  first.acknowledge(1);
  first.append(unitOf(0, 8, [[]]));
  await first.wait('rotated');
  const directory = temporaryDirectory(context);
  cpSync(killed, directory, { recursive: true });
  first.acknowledge(2);
  await first.stop();
  const second = new WriterHarness(directory, options, 'silent');
  const [ready] = second.of('ready');
  assert.deepEqual(
    [ready?.checkpoint.sequence, ready?.acknowledged.sequence, ready?.acknowledged.positions],
    [2, 1, [{ topic: TOPIC, partition: 0, nextOffset: 8 }]],
  );
  second.writer.request({ kind: 'roll_back' });
  await second.wait('rolled_back');
  assert.deepEqual([activeText(directory), closedFiles(directory, 'service_logs')], [lines(7), []]);
  await second.stop();
  assert.equal(loadCheckpoint(directory)?.checkpoint.acknowledged, 3);
  assert.deepEqual((await verify(directory)).problems, []);
});

test('offsets whose commit nobody can tell of are recorded', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 1 }, 'silent');
  harness.append(unitOf(0, 0, [[], []]));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed');
  const uncertain = [{ topic: TOPIC, partition: 0, from: 0, to: 2 }];
  harness.writer.request({ kind: 'acknowledged', sequence: 1, uncertain });
  harness.append(unitOf(0, 2, [[]]));
  await harness.stop();
  assert.deepEqual((await verify(directory)).partitions['logs/0']?.uncertain, [{ from: 0, to: 2 }]);
});
