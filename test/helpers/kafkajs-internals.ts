/** The parts of kafkajs that its patch changes, to test each change by itself. */
import { createRequire } from 'node:module';
import { connect } from 'node:net';

const require = createRequire(import.meta.url);

export interface KafkajsBatch {
  readonly messages: readonly Record<string, unknown>[];
  readonly fetchedOffset: string;
  readonly highWatermark: string;
  lastOffset(): string;
  firstOffset(): string | null;
  isEmpty(): boolean;
  isEmptyDueToFiltering(): boolean;
}

interface PartitionData {
  readonly messages: readonly Record<string, unknown>[];
}

interface FetchResponse {
  readonly responses: readonly { readonly partitions: readonly PartitionData[] }[];
}

interface RequestQueue {
  throttleCheckTimeoutId: unknown;
  checkPendingRequests(): void;
  maybeThrottle(ms: number): void;
  push(request: unknown): void;
  destroy(): void;
}

interface Connection {
  connect(): Promise<true>;
  disconnect(): Promise<true>;
  send(call: { readonly request: object; readonly response: object }): Promise<unknown>;
}

interface ConnectionConstructor {
  new (options: Record<string, unknown>): Connection;
}

interface ConsumerGroup {
  memberId: string;
  coordinator: { heartbeat(): Promise<void> };
  heartbeat(options: { readonly interval: number }): Promise<void>;
}

interface ConsumerGroupConstructor {
  new (options: Record<string, unknown>): ConsumerGroup;
}

interface RequestQueueConstructor {
  new (options: Record<string, unknown>): RequestQueue;
}

const response: {
  decode(body: Buffer): Promise<FetchResponse>;
} = require('kafkajs/src/protocol/requests/fetch/v11/response.js');
/** What a request encodes itself into. */
export const Encoder: { new (): object } = require('kafkajs/src/protocol/encoder.js');
const Batch: {
  new (topic: string, fetchedOffset: string, data: PartitionData): KafkajsBatch;
} = require('kafkajs/src/consumer/batch.js');

/** What kafkajs gives to `eachBatch` for the body of a fetch response with one partition. */
export async function decodeFetch(body: Buffer, fetchedOffset = 0): Promise<KafkajsBatch> {
  const { responses } = await response.decode(body);
  const data = responses[0]?.partitions[0];
  if (data === undefined) throw new Error('the response has no partition');
  return new Batch('logs', String(fetchedOffset), data);
}

const logger = { debug() {}, warn() {}, info() {}, error() {}, namespace: () => logger };

/** A request queue of one connection, with nothing to send. */
export function createRequestQueue(): RequestQueue {
  const Queue: RequestQueueConstructor = require('kafkajs/src/network/requestQueue/index.js');
  return new Queue({
    maxInFlightRequests: null,
    requestTimeout: 30_000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'localhost:9092',
    logger,
  });
}

/** A connection to `port` of the loopback interface. */
export function createConnection(port: number): Connection {
  const Connection: ConnectionConstructor = require('kafkajs/src/network/connection.js');
  return new Connection({
    host: '127.0.0.1',
    port,
    logger,
    socketFactory: ({ onConnect }: { readonly onConnect: () => void }) =>
      connect(port, '127.0.0.1', onConnect),
    requestTimeout: 30_000,
    connectionTimeout: 10_000,
    clientId: 'test',
  });
}

/** A member of a group, as far as heartbeats go. @param onHeartbeat called for each one that is sent */
export function createGroupMember(onHeartbeat: () => void): ConsumerGroup {
  const Group: ConsumerGroupConstructor = require('kafkajs/src/consumer/consumerGroup.js');
  const group = new Group({ logger, instrumentationEmitter: { emit() {} } });
  group.memberId = 'member';
  group.coordinator = { heartbeat: async () => onHeartbeat() };
  return group;
}
