import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogFile } from '../../src/core/files.ts';
import { loadCheckpoint } from '../../src/storage/checkpoint.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { contentOf, contentsOf } from '../helpers/directory-content.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { lineOf, quarantineLineOf, TOPIC, unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

const HOUR_MS = 3_600_000;

function activeText(directory: string, file: LogFile = 'service_logs'): string {
  return readFileSync(join(directory, `${file}.jsonl`), 'utf8');
}

test('a new directory is ready with no positions', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory);
  assert.deepEqual(harness.events, [
    {
      kind: 'ready',
      directoryId: loadCheckpoint(directory)?.checkpoint.directory_id,
      checkpoint: { sequence: 0, positions: [] },
      acknowledged: { sequence: 0, positions: [] },
      recovery: [{ kind: 'initialised', file: 'checkpoint.json', bytes: 0 }],
    },
  ]);
  await harness.stop();
});

test('lines become visible when the buffer is full, in their files', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 4 });
  harness.append(unitOf(0, 0, [['error_logs'], 'filtered', 'quarantined']));
  await sleep(20);
  assert.equal(activeText(directory), '');
  harness.append(unitOf(0, 3, [['audit_logs', 'performance_logs']]));
  await harness.wait('released');
  assert.deepEqual(contentsOf(directory), {
    service_logs: lineOf(0, 0) + lineOf(0, 3),
    error_logs: lineOf(0, 0),
    performance_logs: lineOf(0, 3),
    audit_logs: lineOf(0, 3),
    quarantine: quarantineLineOf(0, 2),
  });
  assert.equal(harness.of('checkpointed').length, 0);
  await harness.stop();
});

test('lines become visible after the flush interval, and the interval counts anew', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { flushIntervalMs: 30 });
  for (const offset of [0, 1]) {
    const startedAt = performance.now();
    harness.append(unitOf(0, offset, [[]]));
    await harness.wait('released', offset + 1);
    assert.ok(performance.now() - startedAt >= 25);
  }
  assert.equal(activeText(directory), lineOf(0, 0) + lineOf(0, 1));
  await harness.stop();
});

test('many bytes, and many small units, are written without waiting for the interval', async (context) => {
  const harness = new WriterHarness(temporaryDirectory(context));
  harness.append(unitOf(0, 0, [[]], 1024 * 1024));
  await harness.wait('released');
  // As many buffers as the ingest loop has to spare must not lie here until the interval ends.
  for (let offset = 1; offset <= 12; offset += 1) harness.append(unitOf(0, offset, [[]]));
  const { units } = await harness.wait('released', 2);
  assert.ok(units < 12);
  await harness.stop();
});

test('every buffer comes back exactly once, after its lines are in the files', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { bufferRecords: 3 });
  const units = Array.from({ length: 10 }, (_, offset) => unitOf(0, offset, [[]]));
  const outputs = units.map(({ output }) => output);
  harness.append(...units);
  harness.append({ ...unitOf(0, 10, ['filtered']), output: null, regions: [] });
  await harness.stop();
  const released = harness.of('released');
  assert.deepEqual(
    released.flatMap((event) => event.outputs),
    outputs,
  );
  assert.equal(
    released.reduce((sum, event) => sum + event.units, 0),
    11,
  );
  assert.equal(activeText(directory), units.map((_, offset) => lineOf(0, offset)).join(''));
});

test('a checkpoint holds exactly what was flushed', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 30 });
  harness.append(unitOf(0, 100, [[], 'quarantined']), unitOf(3, 7, ['filtered']));
  const event = await harness.wait('checkpointed');
  assert.equal(event.sequence, 1);
  assert.equal(event.durableUnits, 2);
  assert.deepEqual(event.positions, [
    { topic: TOPIC, partition: 0, nextOffset: 102 },
    { topic: TOPIC, partition: 3, nextOffset: 8 },
  ]);
  assert.equal(event.fileBytes.service_logs, lineOf(0, 100).length);
  const checkpoint = loadCheckpoint(directory)?.checkpoint;
  assert.equal(checkpoint?.sequence, 1);
  assert.equal(checkpoint.files.service_logs?.length, lineOf(0, 100).length);
  assert.equal(checkpoint.files.quarantine?.records, 1);
  const totals = { consumed: 2, written: 1, filtered: 0, quarantined: 1 };
  assert.deepEqual(checkpoint.partitions, {
    'logs/0': { first_offset: 100, next_offset: 102, ...totals, lost: [], uncertain: [] },
    'logs/3': {
      first_offset: 7,
      next_offset: 8,
      consumed: 1,
      written: 0,
      filtered: 1,
      quarantined: 0,
      lost: [],
      uncertain: [],
    },
  });
  await sleep(80);
  assert.equal(harness.of('checkpointed').length, 1, 'nothing new needs no checkpoint');
  harness.append(unitOf(0, 102, [[]]));
  assert.equal((await harness.wait('checkpointed', 2)).durableUnits, 3);
  await harness.stop();
});

test('a stop flushes, takes a last checkpoint, and nothing comes after it', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 5 });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('checkpointed');
  harness.append(unitOf(0, 1, [[], []]));
  harness.writer.request({ kind: 'stop' });
  harness.append(unitOf(0, 3, [[]]));
  // By the time the last checkpoint is taken, the file is old enough to be rotated.
  harness.clock.offsetMs = 2 * HOUR_MS;
  await harness.wait('stopped');
  await sleep(50);
  const kinds = harness.events.map(({ kind }) => kind);
  assert.deepEqual(kinds.slice(kinds.lastIndexOf('checkpointed')), ['checkpointed', 'stopped']);
  assert.equal(loadCheckpoint(directory)?.checkpoint.partitions['logs/0']?.next_offset, 3);
  assert.equal(contentOf(directory, 'service_logs'), lineOf(0, 0) + lineOf(0, 1) + lineOf(0, 2));
});

test('a checkpoint can be asked for', async (context) => {
  const harness = new WriterHarness(temporaryDirectory(context));
  harness.append(unitOf(0, 0, [[]]));
  harness.writer.request({ kind: 'checkpoint' });
  assert.equal((await harness.wait('checkpointed')).durableUnits, 1);
  await harness.stop();
});

test('a restart goes on where the last checkpoint stood', async (context) => {
  const directory = temporaryDirectory(context);
  const first = new WriterHarness(directory);
  first.append(unitOf(0, 5, [[], []]));
  await first.stop();
  const second = new WriterHarness(directory);
  assert.deepEqual(second.of('ready')[0]?.checkpoint.positions, [
    { topic: TOPIC, partition: 0, nextOffset: 7 },
  ]);
  second.append(unitOf(0, 7, [[]]));
  await second.stop();
  assert.equal(activeText(directory), [5, 6, 7].map((offset) => lineOf(0, offset)).join(''));
  assert.equal(loadCheckpoint(directory)?.checkpoint.sequence, 2);
});

test('a full file is closed before the unit that does not fit, and named in the archive', async (context) => {
  const directory = temporaryDirectory(context);
  const line = lineOf(0, 0).length;
  const harness = new WriterHarness(directory, { maxFileBytes: 2 * line, bufferRecords: 1 });
  for (let offset = 0; offset < 5; offset += 1) harness.append(unitOf(0, offset, [[]]));
  await harness.stop();
  const rotated = harness.of('rotated');
  assert.deepEqual(
    rotated.map(({ file, bytes, records }) => ({ file, bytes, records })),
    [
      { file: 'service_logs', bytes: 2 * line, records: 2 },
      { file: 'service_logs', bytes: 2 * line, records: 2 },
    ],
  );
  assert.equal(readFileSync(`${rotated[1]?.path}.jsonl`, 'utf8'), lineOf(0, 2) + lineOf(0, 3));
  const facts: unknown = JSON.parse(readFileSync(`${rotated[1]?.path}.meta.json`, 'utf8'));
  assert.deepEqual((facts as { accounts: unknown }).accounts, {
    offsets: { 'logs/0': { from: 2, to: 4 } },
    totals: { consumed: 2, written: 2, filtered: 0, quarantined: 0 },
    partitions: { 'logs/0': { consumed: 2, written: 2, filtered: 0, quarantined: 0 } },
  });
  assert.equal(activeText(directory), lineOf(0, 4));
});

test('a unit larger than a file gets one of its own, whole', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 100, bufferRecords: 1 });
  harness.append(unitOf(0, 0, [[]]), unitOf(0, 1, [[]], 500), unitOf(0, 2, [[]]));
  await harness.stop();
  assert.deepEqual(
    closedSegments(directory, 'service_logs').map(({ path }) => readFileSync(`${path}.jsonl`, 'utf8')),
    [lineOf(0, 0), lineOf(0, 1, 500)],
  );
  assert.equal(activeText(directory), lineOf(0, 2));
});

test('an old file is closed without anything new coming, an empty one never', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileAgeMs: HOUR_MS, checkpointIntervalMs: 10 });
  harness.append(unitOf(0, 0, [['error_logs']]));
  await harness.wait('checkpointed');
  harness.clock.offsetMs = HOUR_MS;
  await harness.wait('rotated', 2);
  harness.clock.offsetMs = 9 * HOUR_MS;
  await sleep(50);
  assert.deepEqual(
    harness.of('rotated').map(({ file }) => file),
    ['service_logs', 'error_logs'],
  );
  await harness.stop();
});

test('age counts from the first line, not from when an idle file was opened', async (context) => {
  const harness = new WriterHarness(temporaryDirectory(context), { maxFileAgeMs: HOUR_MS, bufferRecords: 2 });
  harness.clock.offsetMs = 5 * HOUR_MS;
  harness.append(unitOf(0, 0, [[]]), unitOf(0, 1, [[]]));
  await harness.stop();
  assert.equal(harness.of('rotated').length, 0);
});

test('a clock that jumps an hour back or forth overwrites nothing', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 1, bufferRecords: 1 });
  const jumps = [0, -HOUR_MS, 0, -HOUR_MS, HOUR_MS, -HOUR_MS];
  let offset = 0;
  for (const jump of jumps) {
    harness.clock.offsetMs = jump;
    harness.append(unitOf(0, offset, [[]]));
    offset += 1;
    await harness.wait('released', offset);
  }
  await harness.stop();
  const segments = closedSegments(directory, 'service_logs');
  assert.deepEqual(
    segments.map(({ number }) => number),
    [1, 2, 3, 4, 5],
  );
  assert.equal(contentOf(directory, 'service_logs'), jumps.map((_, index) => lineOf(0, index)).join(''));
});

for (const [what, firstOffset] of [
  ['gap', 3],
  ['overlap', 1],
] as const) {
  test(`a ${what} between units is a bug: it stops the writer, and no checkpoint speaks of it`, async (context) => {
    const directory = temporaryDirectory(context);
    const harness = new WriterHarness(directory, { bufferRecords: 2, checkpointIntervalMs: 10 });
    harness.append(unitOf(0, 0, [[], []]), unitOf(0, firstOffset, [[], []]));
    const { error } = await harness.wait('failed');
    assert.match(error.message, /BUG: unit of logs\/0 starts at \d, expected 2/);
    await sleep(40);
    assert.ok((loadCheckpoint(directory)?.checkpoint.partitions['logs/0']?.next_offset ?? 0) <= 2);
    assert.equal(harness.events.at(-1)?.kind, 'failed');
  });
}

test('offsets that are given up are recorded with their reason, in order with the units', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory);
  harness.append(unitOf(0, 0, [[]]));
  harness.writer.request({
    kind: 'skip',
    topic: TOPIC,
    partition: 0,
    from: 1,
    to: 50,
    reason: 'deleted_by_kafka',
  });
  harness.append(unitOf(0, 50, [[]]));
  harness.writer.request({
    kind: 'skip',
    topic: TOPIC,
    partition: 0,
    from: 51,
    to: 0,
    reason: 'topic_recreated',
  });
  harness.append(unitOf(0, 0, [[]]));
  await harness.stop();
  const account = loadCheckpoint(directory)?.checkpoint.partitions['logs/0'];
  assert.deepEqual(account?.lost, [
    { from: 1, to: 50, reason: 'deleted_by_kafka' },
    { from: 51, to: 0, reason: 'topic_recreated' },
  ]);
  assert.equal(account.next_offset, 1);
});

test('giving up offsets that were read already is a bug', async (context) => {
  const harness = new WriterHarness(temporaryDirectory(context));
  harness.append(unitOf(0, 0, [[], []]));
  harness.writer.request({
    kind: 'skip',
    topic: TOPIC,
    partition: 0,
    from: 1,
    to: 50,
    reason: 'deleted_by_kafka',
  });
  assert.match((await harness.wait('failed')).error.message, /BUG: .*expected 2/);
});

test('a request while the writer is about to rest is not forgotten', async (context) => {
  const harness = new WriterHarness(temporaryDirectory(context), { bufferRecords: 1 });
  for (let offset = 0; offset < 50; offset += 1) {
    harness.append(unitOf(0, offset, [[]]));
    for (let turn = 0; turn < offset % 10; turn += 1) await Promise.resolve();
  }
  await harness.wait('released', 50);
  await harness.stop();
});

test('the checkpoint before is kept', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { checkpointIntervalMs: 5 });
  harness.append(unitOf(0, 0, [[]]));
  await harness.wait('checkpointed');
  harness.append(unitOf(0, 1, [[]]));
  await harness.stop();
  assert.match(readFileSync(join(directory, 'state/checkpoint.prev.json'), 'utf8'), /"sequence":1,/);
  assert.match(readFileSync(join(directory, 'state/checkpoint.json'), 'utf8'), /"sequence":2,/);
  assert.ok(!existsSync(join(directory, 'state/checkpoint.json.tmp')));
});
