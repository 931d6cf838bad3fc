import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDeadLetterTopic } from '../../src/kafka/dead-letter-topic.ts';
import { DecodeFailure } from '../../src/transform/decode-failure.ts';
import { rawRecordOf } from '../../src/transform/raw-record-of.ts';
import { BATCH_HEADER_BYTES, readBatchHeader } from '../../src/transform/record-batch.ts';
import { RecordHeaders } from '../../src/transform/record-headers.ts';
import { NEXT, RecordReader } from '../../src/transform/record-reader.ts';
import { DeadLetters } from '../../src/upkeep/dead-letters.ts';
import { runMain } from '../commands/console.ts';
import { createTopic, endOffsets, kafkaClient, testBroker } from '../helpers/kafka.ts';
import { ingest, NARROW } from '../helpers/quarantined-directory.ts';
import { waitFor } from '../helpers/service.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { TestClock } from '../helpers/writer-harness.ts';

function scene(directory: string, broker: string, topic: string) {
  const told: string[] = [];
  const producer = openDeadLetterTopic({
    brokers: [broker],
    topic,
    clientId: 'test',
    connectionTimeoutMs: 2000,
    requestTimeoutMs: 10_000,
    tls: null,
    sasl: null,
  });
  const letters = new DeadLetters({
    directory,
    topic: producer,
    clock: new TestClock(),
    onSent: (entries) => told.push(`sent ${entries}`),
    onTooLarge: (message) => told.push(message),
    onFailed: (error) => told.push(String(error)),
    onBack: () => told.push('back'),
    pauses: { firstMs: 10, maxMs: 20 },
    settleMs: 0,
  });
  return { told, producer, run: () => letters.runOnce(new AbortController().signal) };
}

interface Received {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [string, Buffer | null])[];
}

/** All records of a topic with one partition. The patched client hands out whole batches. */
async function recordsOf(broker: string, topic: string): Promise<Received[]> {
  const wanted = Number((await endOffsets(broker, topic)).get(0));
  const consumer = kafkaClient(broker).consumer({ groupId: `read-${topic}` });
  const records: Received[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      records.push(...recordsIn(new Uint8Array((message as unknown as { rawBatch: Buffer }).rawBatch)));
    },
  });
  await waitFor(`${wanted} records in ${topic}`, () => records.length >= wanted);
  await consumer.disconnect();
  return records;
}

function recordsIn(batch: Uint8Array): Received[] {
  const header = readBatchHeader(new DataView(batch.buffer), 0, batch.length);
  assert.ok(!(header instanceof DecodeFailure));
  const reader = new RecordReader();
  reader.open(header, batch, BATCH_HEADER_BYTES, batch.length);
  const record = rawRecordOf({ offset: 0, timestamp: -1, headers: [] }, null);
  const received: Received[] = [];
  while (reader.next(record) === NEXT.record) {
    const bytes = (start: number, end: number): Buffer | null =>
      start < 0 ? null : Buffer.from(record.bytes.subarray(start, end));
    const found: [string, Buffer | null][] = [];
    const headers = new RecordHeaders(record);
    while (headers.next()) {
      const name = String(bytes(headers.keyStart, headers.keyEnd));
      found.push([name, bytes(headers.valueStart, headers.valueEnd)]);
    }
    const key = bytes(record.keyStart, record.keyEnd);
    received.push({ key, value: bytes(record.valueStart, record.valueEnd), headers: found });
  }
  return received;
}

function headersOf(record: Received | undefined, wanted: string): (Buffer | null)[] {
  return (record?.headers ?? []).filter(([name]) => name === wanted).map(([, content]) => content);
}

test('quarantined records arrive as they came; those that are too large do not stop the others', async (context) => {
  const broker = await testBroker();
  const topic = await createTopic(broker, 'dead', { config: { 'max.message.bytes': '5000' } });
  const directory = temporaryDirectory(context);
  const value = Buffer.from([0xff, 0x00, 0x31]);
  const headers = [
    ['service', 'billing'],
    ['trace', Buffer.from([0xfe])],
    ['trace', 'b'],
  ] as const;
  const batches = [
    { records: [{ value, key: Buffer.from([0xfd]), headers }, { value: 'x'.repeat(20_000) }] },
    { records: [{ value: null, key: 'k' }, { value: 'last' }] },
  ];
  await ingest(directory, [{ partition: 0, batches }], NARROW, {});
  const { told, producer, run } = scene(directory, broker, topic);
  assert.equal(await run(), true);
  assert.equal(await run(), true);
  await producer.close();
  assert.equal(told[0], 'sent 3');
  assert.match(told[1] ?? '', /offset 1 is too large/);
  assert.equal(told.length, 2);
  const records = await recordsOf(broker, topic);
  assert.deepEqual(
    records.flatMap((record) => headersOf(record, 'log-consumer-offset').map(String)),
    ['0', '2', '3'],
  );
  const [first, second] = records;
  assert.deepEqual([first?.key, first?.value], [Buffer.from([0xfd]), value]);
  assert.deepEqual(headersOf(first, 'trace'), [Buffer.from([0xfe]), Buffer.from('b')]);
  assert.deepEqual(headersOf(first, 'service').map(String), ['billing']);
  assert.deepEqual(headersOf(first, 'log-consumer-reason').map(String), ['invalid_utf8']);
  assert.deepEqual([second?.key, second?.value], [Buffer.from('k'), null]);
});

test('a topic that is missing is one sentence, for check too', async (context) => {
  const broker = await testBroker();
  const directory = temporaryDirectory(context);
  await ingest(directory, [{ partition: 0, batches: [{ records: [{ value: 'no' }] }] }], NARROW);
  const { told, producer, run } = scene(directory, broker, 'never-created');
  assert.equal(await run(), false);
  await producer.close();
  assert.match(
    told.join('\n'),
    /^ServiceError: The dead-letter topic "never-created" does not exist: create it \(.*\)[^\n]*$/,
  );

  const topic = await createTopic(broker, 'logs');
  const env = {
    KAFKA_BROKERS: broker,
    LOG_TOPIC: topic,
    LOG_OUTPUT_DIR: join(directory, 'out'),
    LOG_CONSUMER_QUARANTINE_DEAD_LETTER_TOPIC: 'never-created',
  };
  const missing = await runMain(['check', '--online'], [], env);
  assert.equal(missing.code, 1);
  assert.match(missing.output, /The dead-letter topic "never-created" does not exist/);
  const dead = await createTopic(broker, 'dead');
  const fine = await runMain(['check', '--online'], [], {
    ...env,
    LOG_CONSUMER_QUARANTINE_DEAD_LETTER_TOPIC: dead,
  });
  assert.equal(fine.code, 0, fine.output);
});

test('a broker that does not answer is one sentence', async (context) => {
  const directory = temporaryDirectory(context);
  await ingest(directory, [{ partition: 0, batches: [{ records: [{ value: 'no' }] }] }], NARROW);
  const { told, producer, run } = scene(directory, '127.0.0.1:1', 'any');
  assert.equal(await run(), false);
  await producer.close();
  assert.match(told[0] ?? '', /No Kafka broker answers at 127\.0\.0\.1:1/);
});
