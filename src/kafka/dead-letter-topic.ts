/**
 * The producer of the dead-letter topic: idempotent and acknowledged by all replicas. kafkajs tries little
 * by itself here; whoever sends has pauses of its own and says what it waits for.
 */
import kafkajs, { type IHeaders, type KafkaConfig, type Message, type Producer } from 'kafkajs';
import type { DeadLetter, DeadLetterTopic } from '../core/dead-letter.ts';
import { messageOf, ServiceError } from '../core/errors.ts';
import type { DeadLetterTarget } from '../core/upkeep-messages.ts';
import { isConnectionFailure, rootCauseOf } from './client-failure.ts';
import { clientSecurity } from './client-security.ts';
import { explainConnectionFailure } from './connection-failure.ts';

const RETRY = { initialRetryTime: 200, maxRetryTime: 1000, retries: 2 };

/** What a broker answers to a request that the topic's `max.message.bytes` forbids. */
const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/** @throws ServiceError as `DeadLetterTopic.send`, when the topic is not there or cannot be asked for */
export async function requireDeadLetterTopic(target: DeadLetterTarget): Promise<void> {
  const admin = clientOf(target).admin();
  try {
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [target.topic] });
  } catch (error) {
    throw await explained(error, target);
  } finally {
    await admin.disconnect();
  }
}

/** Connects when there is something to send, and again after a failure. */
export function openDeadLetterTopic(target: DeadLetterTarget): DeadLetterTopic {
  let connected: Producer | undefined;
  const close = async (): Promise<void> => {
    const producer = connected;
    connected = undefined;
    await producer?.disconnect();
  };
  return {
    close,
    async send(letters) {
      try {
        connected ??= await connect(target);
        return await sendAll(connected, target.topic, letters);
      } catch (error) {
        const failure = await explained(error, target);
        // A failed producer may not know its sequence any more; a new one has a new identity.
        await close().catch(() => undefined);
        throw failure;
      }
    },
  };
}

async function connect(target: DeadLetterTarget): Promise<Producer> {
  const producer = clientOf(target).producer({
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    idempotent: true,
    maxInFlightRequests: 1,
    retry: RETRY,
  });
  await producer.connect();
  return producer;
}

/** One by one when together they are too large. */
async function sendAll(
  producer: Producer,
  topic: string,
  letters: readonly DeadLetter[],
): Promise<readonly number[]> {
  if (await sendOnce(producer, topic, letters)) return [];
  if (letters.length === 1) return [0];
  const refused: number[] = [];
  for (const [index, letter] of letters.entries()) {
    if (!(await sendOnce(producer, topic, [letter]))) refused.push(index);
  }
  return refused;
}

/** @returns false when it is too large for the topic */
async function sendOnce(producer: Producer, topic: string, letters: readonly DeadLetter[]): Promise<boolean> {
  try {
    await producer.send({ topic, acks: -1, messages: letters.map(messageFrom) });
    return true;
  } catch (error) {
    const cause = rootCauseOf(error);
    if (cause instanceof kafkajs.KafkaJSProtocolError && TOO_LARGE.has(cause.type)) return false;
    throw error;
  }
}

function messageFrom({ key, value, headers }: DeadLetter): Message {
  // Without a prototype: a header may be called `__proto__`.
  const byName: Record<string, Buffer[]> = Object.create(null);
  for (const [name, content] of headers) {
    const values = byName[name] ?? [];
    values.push(content);
    byName[name] = values;
  }
  return { key, value, headers: byName as IHeaders };
}

function clientOf(target: DeadLetterTarget): kafkajs.Kafka {
  const config: KafkaConfig = {
    clientId: `${target.clientId}-dead-letters`,
    brokers: [...target.brokers],
    connectionTimeout: target.connectionTimeoutMs,
    requestTimeout: target.requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: RETRY,
    ...clientSecurity(target),
    // Every failure comes back as an error, which we turn into a sentence.
    logLevel: kafkajs.logLevel.NOTHING,
  };
  return new kafkajs.Kafka(config);
}

async function explained(thrown: unknown, target: DeadLetterTarget): Promise<ServiceError> {
  const named = await explainConnectionFailure(thrown, target);
  if (named !== undefined) return named;
  const { topic } = target;
  const brokers = target.brokers.join(', ');
  const cause = rootCauseOf(thrown);
  if (isConnectionFailure(cause)) {
    return new ServiceError(
      'BROKER_UNREACHABLE',
      `No Kafka broker answers at ${brokers} (${messageOf(cause)}): check that it runs and that KAFKA_BROKERS names it.`,
      { brokers },
      thrown,
    );
  }
  const type = cause instanceof kafkajs.KafkaJSProtocolError ? cause.type : '';
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new ServiceError(
      'TOPIC_MISSING',
      `The dead-letter topic "${topic}" does not exist: create it (kafka-topics.sh --create --topic ${topic}), or set quarantine.dead_letter_topic to an existing one; until then refused records are in the quarantine only.`,
      { topic },
      thrown,
    );
  }
  return new ServiceError(
    'KAFKA_FAILED',
    `Kafka does not take records for the dead-letter topic "${topic}" (${messageOf(cause)}): see the broker's log, and whether this user may write to the topic.`,
    { topic },
    thrown,
  );
}
