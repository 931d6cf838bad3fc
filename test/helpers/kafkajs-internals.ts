/** The parts of kafkajs that its patch changes, to test each change by itself. */
import { createRequire } from 'node:module';

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

interface RequestQueueConstructor {
  new (options: Record<string, unknown>): RequestQueue;
}

const response: {
  decode(body: Buffer): Promise<FetchResponse>;
} = require('kafkajs/src/protocol/requests/fetch/v11/response.js');
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
