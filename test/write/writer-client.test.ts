import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WriterEvent } from '../../src/core/messages.ts';
import { startWriter, type WriterClient } from '../../src/write/writer-client.ts';
import { contentOf } from '../helpers/directory-content.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { lineOf, unitOf } from '../helpers/write-units.ts';

function start(directory: string): {
  client: WriterClient;
  events: WriterEvent[];
  until(kind: string): Promise<void>;
} {
  const events: WriterEvent[] = [];
  const client = startWriter(
    {
      directory,
      instance: 'test',
      maxFileBytes: 1e6,
      maxFileAgeMs: 1e6,
      bufferRecords: 1,
      flushIntervalMs: 1000,
      checkpointIntervalMs: 1000,
    },
    (event) => events.push(event),
  );
  const until = async (kind: string): Promise<void> => {
    while (!events.some((event) => event.kind === kind)) await sleep(2);
  };
  return { client, events, until };
}

test('the thread writes what it is given, gives the memory back, and stops', async (context) => {
  const directory = temporaryDirectory(context);
  const { client, events, until } = start(directory);
  const unit = unitOf(0, 0, [[]]);
  client.append(unit);
  assert.equal(unit.output?.byteLength, 0, 'the buffer went over');
  client.append({ ...unitOf(0, 1, ['filtered']), output: null, regions: [] });
  client.skip('logs', 0, 2, 9, 'deleted_by_kafka');
  client.checkpoint();
  await until('checkpointed');
  client.stop();
  await until('stopped');
  await sleep(100);
  assert.equal(contentOf(directory, 'service_logs'), lineOf(0, 0));
  const kinds = new Set(events.map(({ kind }) => kind));
  assert.deepEqual([...kinds], ['ready', 'released', 'checkpointed', 'stopped']);
  const released = events.find((event) => event.kind === 'released');
  assert.ok((released?.outputs[0]?.byteLength ?? 0) > 0);
});

test('a directory that cannot be recovered is told once', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'service_logs.jsonl'), '{}\n');
  const { events, until } = start(directory);
  await until('failed');
  await sleep(100);
  assert.deepEqual(
    events.map((event) => (event.kind === 'failed' ? event.error.code : event.kind)),
    ['CHECKPOINT_CORRUPT'],
  );
});

test('a directory that cannot be written is a clear error', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'file'), '');
  const { events, until } = start(join(directory, 'file', 'below'));
  await until('failed');
  const [event] = events;
  assert.ok(event?.kind === 'failed' && event.error.code === 'DIRECTORY_UNUSABLE');
});

test('a thread that dies is told', async (context) => {
  const { client, events, until } = start(temporaryDirectory(context));
  await until('ready');
  await client.terminate();
  await until('failed');
  const event = events.at(-1);
  assert.ok(event?.kind === 'failed' && event.error.code === 'WORKER_DIED');
});
