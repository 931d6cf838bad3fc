/**
 * Sends records to a Kafka topic with kafkajs: acknowledged by all replicas, compressed with LZ4, and
 * through an idempotent producer, so a retry never stores a record twice and the number of records
 * in the topic is the number we report.
 */
import kafkajs, { type Admin, type Message, type Producer } from 'kafkajs';
import { compressFrameSync } from 'lz4-napi';
import { ServiceError } from '../core/errors.ts';
import { clientSecurity } from '../kafka/client-security.ts';
import { type ConnectionTarget, explainConnectionFailure } from '../kafka/connection-failure.ts';
import { explainKafkaError } from './kafka-errors.ts';
import type { GeneratedRecord } from './records.ts';
import type { RecordSink } from './sink.ts';

export interface KafkaTarget extends ConnectionTarget {
  readonly topic: string;
  /** `service`: all records of a service go to one partition, in order; `none`: partitions take turns. */
  readonly key: 'service' | 'none';
  /** Creates a missing topic with so many partitions; null: the topic must exist. */
  readonly createPartitions: number | null;
}

/** Records in a row for one partition before the next has its turn: enough for LZ4 to find repetitions. */
const RECORDS_PER_TURN = 100;

/** A broker that is not there is reported within seconds; one that goes away meanwhile gets longer to return. */
const CONNECT_RETRY = { initialRetryTime: 200, retries: 3 };
const SEND_RETRY = { initialRetryTime: 300, maxRetryTime: 5000, retries: 10 };
const CONNECTION_TIMEOUT_MS = 5000;

interface EncodedRecords {
  readonly buffer: Buffer;
}

/**
 * Connects, checks that the topic is there (or creates it) and returns the sink.
 * @throws ServiceError BROKER_UNREACHABLE, TLS_FAILED, AUTHENTICATION_FAILED, TOKEN_UNAVAILABLE,
 *   TOPIC_MISSING or KAFKA_FAILED.
 */
export async function connectKafkaSink(target: KafkaTarget): Promise<RecordSink> {
  registerLz4();
  const kafka = new kafkajs.Kafka({
    clientId: 'log-consumer-generate',
    brokers: [...target.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    retry: CONNECT_RETRY,
    ...clientSecurity(target),
    // Every failure comes back as an error, which we turn into a sentence.
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    idempotent: true,
    retry: SEND_RETRY,
  });
  try {
    const partitions = await withAdmin(kafka.admin(), (admin) => ensureTopic(admin, target));
    await producer.connect();
    return createSink(producer, target, partitions);
  } catch (thrown) {
    throw (await explainConnectionFailure(thrown, target)) ?? explainKafkaError(thrown, target);
  }
}

function createSink(producer: Producer, target: KafkaTarget, partitions: number): RecordSink {
  const toMessages = target.key === 'service' ? keyedMessages : takingTurns(partitions);
  return {
    async send(records) {
      try {
        await producer.send({
          topic: target.topic,
          acks: -1,
          compression: kafkajs.CompressionTypes.LZ4,
          messages: toMessages(records),
        });
        return true;
      } catch (thrown) {
        throw explainKafkaError(thrown, target);
      }
    },
    close: () => producer.disconnect(),
  };
}

function keyedMessages(records: readonly GeneratedRecord[]): Message[] {
  return records.map(({ service, value }) => ({ key: service, value }));
}

function takingTurns(partitions: number): (records: readonly GeneratedRecord[]) => Message[] {
  let position = 0;
  return (records) =>
    records.map(({ value }) => {
      const partition = Math.floor(position / RECORDS_PER_TURN) % partitions;
      position += 1;
      return { key: null, value, partition };
    });
}

async function withAdmin<T>(admin: Admin, work: (admin: Admin) => Promise<T>): Promise<T> {
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Returns the number of partitions of the topic. */
async function ensureTopic(admin: Admin, { topic, createPartitions, brokers }: KafkaTarget): Promise<number> {
  if (!(await admin.listTopics()).includes(topic)) {
    if (createPartitions === null) {
      throw new ServiceError(
        'TOPIC_MISSING',
        `Topic "${topic}" does not exist on ${brokers.join(', ')}; create it, or give --create-topic PARTITIONS to have it created.`,
        { topic },
      );
    }
    await admin.createTopics({ topics: [{ topic, numPartitions: createPartitions }], waitForLeaders: true });
  }
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
  return metadata.topics[0]?.partitions.length ?? 1;
}

/** The registry of codecs is global to kafkajs. We only produce, so this codec only compresses. */
function registerLz4(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
    compress: async ({ buffer }: EncodedRecords) => compressFrameSync(buffer),
    decompress: async () => {
      throw new ServiceError(
        'KAFKA_FAILED',
        'The generator does not read from Kafka, so it cannot decompress.',
      );
    },
  });
}
