/** What a real broker can hold: every codec, transactions, compaction, hostile records. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompressionTypes, type Message } from 'kafkajs';
import { startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { produceBatch } from '../helpers/batch-producer.ts';
import { checkExactness, EXACT, uniqueMessage } from '../helpers/exactness.ts';
import { createTopic, endOffsets, inTransaction, produce, testBroker, waitForEnd } from '../helpers/kafka.ts';
import { buildRecordBatch } from '../helpers/record-batch-builder.ts';
import { ServiceProcess, waitFor } from '../helpers/service.ts';
import { storedLines } from '../helpers/stored-files.ts';

interface Consumed {
  readonly directory: string;
  readonly service: ServiceProcess;
}

/** Runs the service over a whole topic, stops it, and lets `inspect` look at the files. */
async function consumeAll(
  topic: string,
  inspect: (consumed: Consumed) => void | Promise<void>,
  broker?: string,
): Promise<void> {
  const bootstrap = broker ?? (await testBroker());
  const directory = mkdtempSync(join(tmpdir(), 'topics-'));
  const service = new ServiceProcess({ bootstrap, topic, groupId: `group-${topic}`, directory });
  try {
    const ends = await endOffsets(bootstrap, topic);
    await waitFor('the service to reach the end of the topic', async () => {
      const { partitions } = await verify(directory);
      return [...ends].every(([partition, end]) => {
        return end === 0n || BigInt(partitions[`${topic}/${partition}`]?.next_offset ?? 0) === end;
      });
    });
    await waitFor('no lag', async () => (await service.metric('kafka_consumer_lag')) === 0);
    assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
    const report = await verify(directory);
    assert.deepEqual(report.problems, []);
    await inspect({ directory, service });
  } finally {
    await service.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function uniqueMessages(partition: number, from: number, to: number): Message[] {
  return Array.from({ length: to - from }, (_, index) => uniqueMessage(partition, from + index));
}

test('all five codecs in one topic', async () => {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'codecs');
  const codecs = [
    CompressionTypes.None,
    CompressionTypes.GZIP,
    CompressionTypes.Snappy,
    CompressionTypes.LZ4,
    CompressionTypes.ZSTD,
  ];
  for (const [index, compression] of codecs.entries()) {
    const messages = uniqueMessages(0, index * 400, (index + 1) * 400);
    await produce(bootstrap, topic, messages, { compression, batchRecords: 150 });
  }
  await consumeAll(topic, async ({ directory }) => {
    const { lost, duplicated, altered, unordered, torn } = await checkExactness(directory, [2000]);
    assert.deepEqual({ lost, duplicated, altered, unordered, torn }, EXACT);
  });
});

test('committed transactions are stored, aborted ones are not, and markers leave no lag', async () => {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'transactions');
  for (const [round, decision] of (['commit', 'abort', 'commit', 'abort'] as const).entries()) {
    await inTransaction(bootstrap, async (transaction) => {
      const messages = Array.from({ length: 50 }, (_, index) => ({
        partition: 0,
        value: JSON.stringify({ service: 's', level: 'INFO', message: `${decision} ${round} ${index}` }),
      }));
      await transaction.send({ topic, messages });
      return decision;
    });
  }
  await waitForEnd(bootstrap, topic, 204n);
  await consumeAll(topic, async ({ directory }) => {
    const messages = (await storedLines(directory, 'service_logs')).map(
      (line) => (JSON.parse(line) as { message: string }).message,
    );
    assert.equal(messages.length, 100);
    assert.ok(messages.every((message) => message.startsWith('commit ')));
    assert.equal((await verify(directory)).partitions[`${topic}/0`]?.absent, 104);
  });
});

test('holes of a compacted topic are accounted for as absent', async (t) => {
  const broker = await startKafka({ extraProperties: { 'log.cleaner.backoff.ms': '100' } });
  t.after(() => broker.stop());
  const { bootstrap } = broker;
  const topic = await createTopic(bootstrap, 'compacted', {
    config: {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.01',
      'max.compaction.lag.ms': '200',
    },
  });
  const total = 600;
  for (let index = 0; index < total; index += 100) {
    const messages = Array.from({ length: 100 }, (_, offset) => ({
      partition: 0,
      key: `key-${(index + offset) % 10}`,
      value: JSON.stringify({ service: 's', message: `m ${index + offset}` }),
    }));
    await produce(bootstrap, topic, messages, { compression: CompressionTypes.LZ4 });
  }
  await new Promise((resolve) => setTimeout(resolve, 4000));
  await produce(bootstrap, topic, [{ partition: 0, key: 'last', value: '{"service":"s","message":"last"}' }]);
  await consumeAll(
    topic,
    async ({ directory }) => {
      const partition = (await verify(directory)).partitions[`${topic}/0`];
      assert.equal(partition?.next_offset, total + 1);
      assert.equal((partition?.consumed ?? 0) + (partition?.absent ?? 0), total + 1);
      assert.ok((partition?.absent ?? 0) > 0, 'the broker compacted something');
      const last = (await storedLines(directory, 'service_logs')).at(-1) ?? '';
      assert.equal((JSON.parse(last) as { message: string }).message, 'last');
    },
    bootstrap,
  );
});

test('hostile records are stored or quarantined once each, and later records flow', async () => {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'hostile', { config: { 'max.message.bytes': '20000000' } });
  const good = { partition: 0, value: '{"service":"s","level":"INFO","message":"after"}' };
  const headers = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`h${index}`, 'v']));
  const hostile: [Message, string][] = [
    [{ partition: 0, value: null }, 'empty'],
    [{ partition: 0, value: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]) }, 'invalid_utf8'],
    [{ partition: 0, value: `${'['.repeat(200_000)}${']'.repeat(200_000)}` }, 'too_deep'],
    [{ partition: 0, value: `{"a":${'{"b":'.repeat(100_000)}1${'}'.repeat(100_000)}}` }, 'too_deep'],
    [{ partition: 0, value: 'plain text', headers }, 'not_json'],
    [{ partition: 0, value: '[1,2]' }, 'not_object'],
    [{ partition: 0, value: `{"message":"${'x'.repeat(9_000_000)}"}` }, 'too_large'],
  ];
  for (const [message] of hostile)
    await produce(bootstrap, topic, [message], { compression: CompressionTypes.GZIP });
  const stored = [
    { partition: 0, value: '{"message":"many headers"}', headers: { ...headers, __proto__x: '1' } },
    { partition: 0, value: '{"__proto__":{"x":1},"constructor":2,"message":"proto"}' },
    { partition: 0, value: '{"message":\n"split","u":"a\u2028b\u2029c\u0085d"\n}' },
    { partition: 0, value: `{"message":"big","pad":"${'y'.repeat(7_000_000)}"}` },
  ];
  for (const message of stored)
    await produce(bootstrap, topic, [message], { compression: CompressionTypes.GZIP });
  const many = Array.from({ length: 130_000 }, () => ({ value: good.value }));
  await produceBatch(bootstrap, topic, buildRecordBatch({ codec: 'gzip', records: many }));
  await produce(bootstrap, topic, [good]);
  await consumeAll(topic, async ({ directory }) => {
    const quarantined = (await storedLines(directory, 'quarantine')).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    assert.deepEqual(
      quarantined.map(({ offset, reason }) => [offset, reason]),
      hostile.map(([, reason], offset) => [offset, reason]),
    );
    const lines = await storedLines(directory, 'service_logs');
    assert.equal(lines.length, stored.length + many.length + 1);
    assert.ok(!lines.some((line) => /[\u2028\u2029\u0085]/.test(line)));
    const proto = JSON.parse(lines[1] ?? '') as { extra: object };
    assert.deepEqual(Object.keys(proto.extra), ['__proto__', 'constructor']);
  });
});

test('a bomb is quarantined whole within the limit on decompressed bytes', async () => {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'bomb', { config: { 'max.message.bytes': '20000000' } });
  const bomb = { partition: 0, value: Buffer.alloc(300_000_000, 0x20) };
  await produce(bootstrap, topic, [bomb], { compression: CompressionTypes.GZIP });
  await produce(bootstrap, topic, [{ partition: 0, value: '{"message":"after"}' }]);
  await consumeAll(topic, async ({ directory }) => {
    const [entry] = (await storedLines(directory, 'quarantine')).map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    assert.equal(entry?.['reason'], 'decompression_limit');
    assert.equal(entry?.['offset'], 0);
    assert.equal((await storedLines(directory, 'service_logs')).length, 1);
  });
});
