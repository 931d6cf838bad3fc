/** What a real broker can hold: every codec, transactions, compaction. Hostile records: failure/poison.test.ts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CompressionTypes, type Message } from 'kafkajs';
import { startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { checkExactness, EXACT, uniqueMessage } from '../helpers/exactness.ts';
import { createTopic, endOffsets, inTransaction, produce, testBroker, waitForEnd } from '../helpers/kafka.ts';
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
