/**
 * The Kafka consumer behind an interface of our own: deliveries of raw record batches, assignments,
 * commits. Everything that kafkajs does differently from what one would expect stays in this folder.
 *
 * Rules it keeps (each one's reason is in docs/adr/0003)
 * - Nothing but a Kafka error leaves `eachBatch`: a TypeError or RangeError would stop the consumer for
 *   good while the process lives on. Our own failures go to `onFailure`.
 * - Seeks happen before the first fetch of an assignment, in a hook that our patch of kafkajs awaits.
 * - `resolveOffset` is called only right after the staleness was checked, without an await between.
 */
import kafkajs, { type Batch, type Consumer, type ConsumerRunConfig, type EachBatchPayload } from 'kafkajs';
import { messageOf, ServiceError } from '../core/errors.ts';
import { parseOffset, type TopicPartition } from '../core/offsets.ts';
import { nameConnectionFailure } from '../kafka/connection-failure.ts';
import { type ClientOptions, createKafka, RETRY } from './client.ts';
import type { OffsetCommit, SendCommit } from './committer.ts';
import type { KafkaLog } from './kafka-log.ts';
import { type RawBatch, readRawBatches } from './raw-batch.ts';

/** New partitions are found at this age of what is known of the topic; kafkajs would wait 5 minutes. */
const METADATA_MAX_AGE_MS = 10_000;

export interface SourceOptions extends ClientOptions {
  readonly topic: string;
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly maxWaitTimeMs: number;
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
  /** Handlers only enqueue, so all partitions may be handled at once. */
  readonly partitions: number;
}

/** What one fetch brought of one partition. */
export interface Delivery extends TopicPartition {
  /** The offset that was asked for. */
  readonly fetchedOffset: number;
  readonly batches: readonly RawBatch[];
  /** The offset after everything delivered, transaction markers at its end included. */
  readonly nextOffset: number;
  readonly highWatermark: number;
  /** Keeps the membership alive; rejects when the group rebalances. */
  heartbeat(): Promise<void>;
  /** Moves kafkajs' position to `nextOffset`; false, with nothing done, when the delivery is stale. */
  resolve(nextOffset: number): boolean;
}

/** Offsets that hold no data record for us. */
export type Skipped = Pick<Delivery, keyof TopicPartition | 'fetchedOffset' | 'nextOffset' | 'highWatermark'>;

/** Partitions that the group gave to us. */
export interface Assignment {
  readonly partitions: readonly TopicPartition[];
  /** Commits within the generation of this assignment; the broker refuses it once that is over. */
  readonly commit: SendCommit;
}

export interface SourceHandler {
  /**
   * The group forms anew: the last moment at which the assignment before can commit. Nothing is fetched
   * until `onAssigned`.
   */
  onRevoked(): Promise<void>;
  /**
   * A new assignment, before its first fetch. Resolves with where to read from, by partition; when it
   * rejects, the group is joined again.
   */
  onAssigned(assignment: Assignment): Promise<ReadonlyMap<TopicPartition, number>>;
  onDelivery(delivery: Delivery): Promise<void>;
  /** Offsets up to `nextOffset` hold nothing for us (markers, aborted transactions). */
  onSkipped(skipped: Skipped): void;
  /** Any sign of life from the consumer. */
  onActivity(): void;
  /** The broker took a heartbeat: it is there, and we are a member of the group. */
  onHeartbeat(): void;
  onFailure(error: unknown): void;
}

export interface Source {
  /** Resolves once the group was joined. */
  start(): Promise<void>;
  /** Stops fetching; the membership stays alive. */
  pause(): void;
  seek(topic: string, partition: number, offset: number): void;
  close(): Promise<void>;
}

export function createSource(options: SourceOptions, handler: SourceHandler, log: KafkaLog): Source {
  const consumer = createConsumer(options, log);
  listen(consumer, options, handler);
  let isRunning = false;
  return {
    async start() {
      await connect(consumer, options);
      isRunning = true;
      await run(consumer, options, handler);
    },
    pause() {
      if (isRunning) consumer.pause([{ topic: options.topic }]);
    },
    seek: (topic, partition, offset) => consumer.seek({ topic, partition, offset: String(offset) }),
    close: () => consumer.disconnect(),
  };
}

function createConsumer(options: SourceOptions, log: KafkaLog): Consumer {
  return createKafka(options, log).consumer({
    groupId: options.groupId,
    sessionTimeout: options.sessionTimeoutMs,
    heartbeatInterval: options.heartbeatIntervalMs,
    rebalanceTimeout: options.rebalanceTimeoutMs,
    maxWaitTimeInMs: options.maxWaitTimeMs,
    maxBytesPerPartition: options.maxBytesPerPartition,
    maxBytes: options.maxBytes,
    minBytes: 1,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    retry: RETRY,
  });
}

async function connect(consumer: Consumer, options: SourceOptions): Promise<void> {
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
  } catch (error) {
    throw nameConnectionFailure(error, options) ?? error;
  }
}

async function run(consumer: Consumer, options: SourceOptions, handler: SourceHandler): Promise<void> {
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: options.partitions,
    eachBatch: (payload) => deliver(payload, handler),
    beforeJoin: () => handler.onRevoked(),
    afterJoin: (generation) => takeUp(consumer, generation, options, handler),
  } as ConsumerRunConfig & JoinHooks);
}

/** What our patch of kafkajs adds to `run`: both are awaited, and nothing is fetched between them. */
interface JoinHooks {
  beforeJoin(): Promise<void>;
  afterJoin(generation: Generation): Promise<void>;
}

interface Generation {
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
  heartbeat(): Promise<void>;
  commitOffsets(topics: readonly TopicCommits[]): Promise<void>;
}

interface TopicCommits {
  readonly topic: string;
  readonly partitions: readonly Omit<OffsetCommit, 'topic'>[];
}

async function takeUp(
  consumer: Consumer,
  generation: Generation,
  { topic, heartbeatIntervalMs, rebalanceTimeoutMs }: SourceOptions,
  handler: SourceHandler,
): Promise<void> {
  const partitions = (generation.memberAssignment[topic] ?? []).map((partition) => ({ topic, partition }));
  const commit: SendCommit = (commits) => generation.commitOffsets(byTopic(commits));
  const positions = await withHeartbeats(
    handler.onAssigned({ partitions, commit }),
    () => generation.heartbeat(),
    { everyMs: heartbeatIntervalMs, atMostMs: rebalanceTimeoutMs },
  );
  for (const [assigned, offset] of positions) consumer.seek({ ...assigned, offset: String(offset) });
}

/**
 * Keeps the membership alive while an assignment is taken up, for a bounded time, so that work which
 * hangs does not hold the partitions. A heartbeat that fails joins again afterwards.
 */
async function withHeartbeats<T>(
  work: Promise<T>,
  heartbeat: () => Promise<void>,
  { everyMs, atMostMs }: { readonly everyMs: number; readonly atMostMs: number },
): Promise<T> {
  let failure: unknown;
  const endsAt = performance.now() + atMostMs;
  const timer = setInterval(() => {
    if (performance.now() > endsAt) return clearInterval(timer);
    heartbeat().catch((error: unknown) => {
      failure = error;
    });
  }, everyMs);
  try {
    const result = await work;
    if (failure !== undefined) throw failure;
    return result;
  } finally {
    clearInterval(timer);
  }
}

function byTopic(commits: readonly OffsetCommit[]): TopicCommits[] {
  const topics = new Map<string, Omit<OffsetCommit, 'topic'>[]>();
  for (const { topic, ...commit } of commits) {
    topics.set(topic, [...(topics.get(topic) ?? []), commit]);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

function listen(consumer: Consumer, options: SourceOptions, handler: SourceHandler): void {
  consumer.on('consumer.fetch', () => handler.onActivity());
  consumer.on('consumer.heartbeat', () => handler.onHeartbeat());
  consumer.on('consumer.end_batch_process', ({ payload }) =>
    guard(handler, () => reportSkipped(payload as typeof payload & BatchProcessed, handler)),
  );
  consumer.on('consumer.crash', ({ payload }) => {
    if (payload.restart) return;
    handler.onFailure(
      nameConnectionFailure(payload.error, options) ??
        new ServiceError('KAFKA_FAILED', `The Kafka consumer stopped for good: ${messageOf(payload.error)}.`),
    );
  });
}

/** The payload of a batch event, with what our patch of kafkajs adds. */
interface BatchProcessed {
  readonly topic: string;
  readonly partition: number;
  readonly batchSize: number;
  readonly lastOffset: string;
  readonly highWatermark: string;
  readonly fetchedOffset: string;
}

/** kafkajs moves past batches without any data record by itself, and says so only in this event. */
function reportSkipped(payload: BatchProcessed, handler: SourceHandler): void {
  if (payload.batchSize > 0) return;
  handler.onSkipped({
    topic: payload.topic,
    partition: payload.partition,
    fetchedOffset: parseOffset(String(payload.fetchedOffset)),
    nextOffset: parseOffset(payload.lastOffset) + 1,
    highWatermark: parseOffset(payload.highWatermark),
  });
}

async function deliver(payload: EachBatchPayload, handler: SourceHandler): Promise<void> {
  handler.onActivity();
  try {
    await handler.onDelivery(toDelivery(payload));
  } catch (error) {
    if (error instanceof kafkajs.KafkaJSError) throw error;
    handler.onFailure(error);
  }
}

function toDelivery({ batch, heartbeat, resolveOffset, isStale, isRunning }: EachBatchPayload): Delivery {
  const { topic, partition } = batch;
  const highWatermark = parseOffset(batch.highWatermark);
  const batches = readRawBatches({ topic, partition }, batch.messages);
  // Markers at the end belong to what was read, unless a damaged batch stands before them.
  const whole = batches.length === batch.messages.length;
  const last = batches.at(-1);
  return {
    topic,
    partition,
    fetchedOffset: fetchedOffsetOf(batch),
    batches,
    nextOffset: whole || last === undefined ? parseOffset(batch.lastOffset()) + 1 : last.lastOffset + 1,
    highWatermark,
    heartbeat,
    resolve: (nextOffset) => {
      if (isStale() || !isRunning()) return false;
      resolveOffset(String(nextOffset - 1));
      return true;
    },
  };
}

/** Present at run time, missing in the types of 2.2.4. */
function fetchedOffsetOf(batch: Batch): number {
  const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
  return parseOffset(String(fetchedOffset));
}

function guard(handler: SourceHandler, action: () => void): void {
  try {
    action();
  } catch (error) {
    handler.onFailure(error);
  }
}
