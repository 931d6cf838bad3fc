/** What the broker knows of our topic and group, asked at the start and at every assignment. */
import kafkajs, { type Admin } from 'kafkajs';
import { messageOf, ServiceError } from '../core/errors.ts';
import { parseOffset } from '../core/offsets.ts';
import { explainConnectionFailure } from '../kafka/connection-failure.ts';
import { type ClientOptions, createKafka, IMPATIENT_RETRY } from './client.ts';
import { decodeCommitMetadata } from './commit-metadata.ts';
import type { GroupOffset } from './commit-outcome.ts';
import type { KafkaLog } from './kafka-log.ts';

export interface PartitionState extends GroupOffset {
  readonly partition: number;
  /** First offset in the log. */
  readonly earliest: number;
  /** Offset after the last in the log. */
  readonly latest: number;
}

/**
 * @throws ServiceError BROKER_UNREACHABLE when no broker answers, TLS_FAILED, AUTHENTICATION_FAILED or
 *   TOKEN_UNAVAILABLE when it is there but does not let us in, TOPIC_MISSING when there is no such
 *   topic, KAFKA_FAILED when the broker answers with an error (a coordinator that still loads, for one)
 */
export async function readTopicState(
  options: ClientOptions,
  topic: string,
  groupId: string,
  log: KafkaLog,
): Promise<PartitionState[]> {
  const admin = createKafka(options, log, IMPATIENT_RETRY).admin();
  try {
    await connect(admin, options);
    await requireTopic(admin, topic);
    return await readPartitions(admin, topic, groupId);
  } catch (error) {
    if (error instanceof ServiceError || !(error instanceof kafkajs.KafkaJSError)) throw error;
    const explained = await explainConnectionFailure(error, options);
    if (explained !== undefined) throw explained;
    throw new ServiceError(
      'KAFKA_FAILED',
      `The broker could not say where group ${groupId} stands in topic "${topic}" (${error.message}).`,
      { topic, groupId },
      error,
    );
  } finally {
    await admin.disconnect();
  }
}

async function connect(admin: Admin, options: ClientOptions): Promise<void> {
  try {
    await admin.connect();
  } catch (error) {
    const explained = await explainConnectionFailure(error, options);
    if (explained !== undefined) throw explained;
    const brokers = options.brokers.join(', ');
    throw new ServiceError(
      'BROKER_UNREACHABLE',
      `No Kafka broker answers at ${brokers} (${messageOf(error)}): check that it runs and that KAFKA_BROKERS names it.`,
      { brokers },
      error,
    );
  }
}

async function requireTopic(admin: Admin, topic: string): Promise<void> {
  try {
    await admin.fetchTopicMetadata({ topics: [topic] });
  } catch (error) {
    if (!(error instanceof kafkajs.KafkaJSProtocolError) || error.type !== 'UNKNOWN_TOPIC_OR_PARTITION')
      throw error;
    throw new ServiceError(
      'TOPIC_MISSING',
      `The topic "${topic}" does not exist on this broker: create it (kafka-topics.sh --create --topic ${topic}), or set LOG_TOPIC to an existing one.`,
      { topic },
      error,
    );
  }
}

async function readPartitions(admin: Admin, topic: string, groupId: string): Promise<PartitionState[]> {
  const [offsets, groups] = await Promise.all([
    admin.fetchTopicOffsets(topic),
    admin.fetchOffsets({ groupId, topics: [topic] }),
  ]);
  const committed = new Map(groups[0]?.partitions.map((entry) => [entry.partition, entry]));
  return offsets.map(({ partition, low, high }) => {
    const entry = committed.get(partition);
    const offset = entry === undefined ? -1 : parseOffset(entry.offset);
    return {
      partition,
      earliest: parseOffset(low),
      latest: parseOffset(high),
      committed: offset < 0 ? undefined : offset,
      metadata: decodeCommitMetadata(entry?.metadata),
    };
  });
}
