/**
 * The broker of the tests and what they do with it: topics, records, transactions, offsets.
 *
 * The broker is the one in KAFKA_BROKERS, else the one of the test run (kafka-global.ts), else one
 * that this test file starts for itself. Every test uses topics of its own: `createTopic` names them.
 * Tests that stop, kill or configure a broker start their own with `startKafka`.
 */
import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import kafkajs, {
  type Admin,
  type CompressionTypes,
  type FetchOffsetsPartition,
  Kafka,
  logLevel,
  type Message,
  Partitioners,
  type RetryOptions,
  type Transaction,
} from 'kafkajs';
import { type EmbeddedKafka, startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { registerProducerCodecs } from './producer-codecs.ts';
import { waitFor } from './service.ts';
import { givenBrokers, SHARED_BROKER_VARIABLE } from './shared-broker.ts';

export interface TopicOptions {
  readonly partitions?: number;
  readonly replicas?: number;
  /** Topic settings such as `cleanup.policy`. */
  readonly config?: Readonly<Record<string, string>>;
}

export interface ProduceOptions {
  readonly compression?: CompressionTypes;
  /** Makes one record batch per call of this many records; all records in one batch when left out. */
  readonly batchRecords?: number;
}

let own: Promise<EmbeddedKafka> | undefined;

// At the top level, so that it runs after the whole file and not after the test that came first.
after(async () => (await own)?.stop());

/** `host:port` of the broker to test with; starts one when there is none. */
export async function testBroker(): Promise<string> {
  const given = givenBrokers() ?? process.env[SHARED_BROKER_VARIABLE];
  if (given !== undefined) return given;
  own ??= startKafka();
  return (await own).bootstrap;
}

/** A quiet kafkajs client of `bootstrap`. @param retry for tests whose broker goes away for a while */
export function kafkaClient(bootstrap: string, retry: RetryOptions = {}): Kafka {
  registerProducerCodecs();
  return new Kafka({ clientId: 'test', brokers: bootstrap.split(','), logLevel: logLevel.NOTHING, retry });
}

/** Runs `work` with a connected admin client. */
export async function withAdmin<T>(bootstrap: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaClient(bootstrap).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Creates a topic with a name that nobody else uses, `prefix` first, and returns the name. */
export async function createTopic(
  bootstrap: string,
  prefix: string,
  options: TopicOptions = {},
): Promise<string> {
  const topic = `${prefix}-${randomUUID().slice(0, 8)}`;
  const configEntries = Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value }));
  const numPartitions = options.partitions ?? 1;
  await withAdmin(bootstrap, (admin) =>
    admin.createTopics({
      topics: [{ topic, numPartitions, replicationFactor: options.replicas ?? 1, configEntries }],
      waitForLeaders: true,
    }),
  );
  return topic;
}

/** Deletes a topic. */
export async function deleteTopic(bootstrap: string, topic: string): Promise<void> {
  await withAdmin(bootstrap, (admin) => admin.deleteTopics({ topics: [topic] }));
}

/** What a broker answers while a coordinator moves to it. */
const LOADING: ReadonlySet<string> = new Set(['GROUP_LOAD_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP']);

/** What the group has committed; asked again as long as its coordinator still loads, on a new broker above all. */
export async function fetchGroupOffsets(
  bootstrap: string,
  groupId: string,
  topic: string,
): Promise<readonly FetchOffsetsPartition[]> {
  let offsets: readonly FetchOffsetsPartition[] = [];
  await waitFor(`the coordinator of ${groupId}`, async () => {
    try {
      const [group] = await withAdmin(bootstrap, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
      offsets = group?.partitions ?? [];
      return true;
    } catch (error) {
      if (!(error instanceof kafkajs.KafkaJSProtocolError) || !LOADING.has(error.type)) throw error;
      return false;
    }
  });
  return offsets;
}

/** The offset after the last record of every partition, by partition. */
export async function endOffsets(bootstrap: string, topic: string): Promise<Map<number, bigint>> {
  const offsets = await withAdmin(bootstrap, (admin) => admin.fetchTopicOffsets(topic));
  return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
}

/**
 * Waits until partition 0 ends at `end`. The broker answers the end of a transaction before it has
 * written the markers.
 */
export async function waitForEnd(bootstrap: string, topic: string, end: bigint): Promise<void> {
  await waitFor(`${topic} to end at ${end}`, async () => (await endOffsets(bootstrap, topic)).get(0) === end);
}

/**
 * Produces `messages` in order and waits for the broker. A message without `partition` goes where its
 * key says, or anywhere.
 */
export async function produce(
  bootstrap: string,
  topic: string,
  messages: readonly Message[],
  options: ProduceOptions = {},
): Promise<void> {
  const producer = kafkaClient(bootstrap).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    const step = Math.max(1, options.batchRecords ?? messages.length);
    for (let start = 0; start < messages.length; start += step) {
      const compression = options.compression === undefined ? {} : { compression: options.compression };
      await producer.send({ topic, messages: messages.slice(start, start + step), ...compression });
    }
  } finally {
    await producer.disconnect();
  }
}

/**
 * Runs `work` with an open transaction and then commits or aborts it as `work` says. To leave one
 * open, do not return from `work` until the test has looked.
 */
export async function inTransaction(
  bootstrap: string,
  work: (transaction: Transaction) => Promise<'commit' | 'abort'>,
): Promise<void> {
  const producer = kafkaClient(bootstrap).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: randomUUID(),
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  try {
    const transaction = await producer.transaction();
    const decision = await work(transaction);
    await (decision === 'commit' ? transaction.commit() : transaction.abort());
  } finally {
    await producer.disconnect();
  }
}
