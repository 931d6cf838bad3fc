/** Fills the benchmark's topic. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { BatchProducer, type PartitionBatch } from './batch-producer.ts';
import { RecordBatchBuilder } from './record-batch.ts';
import { createRecordSource } from './records.ts';
import { withAdmin } from './service.ts';

export const PARTITIONS = 8;

const LEADER_ATTEMPTS = 50;
const LEADER_PAUSE_MS = 200;

/**
 * Uncompressed bytes of a batch. A Java producer fills `batch.size` (16 KiB) by the compressed size it
 * expects, so with the compression of these records its default makes batches of about this size.
 */
const BATCH_BYTES = 56 * 1024;

export interface PreloadedTopic {
  readonly topic: string;
  readonly records: number;
  /** Bytes of all values. */
  readonly valueBytes: number;
  readonly meanRecordBytes: number;
  /** Uncompressed to compressed size of the record batches. */
  readonly compressionRatio: number;
  readonly batchUncompressedBytes: number;
  readonly seconds: number;
}

/** Creates the topic and writes `records` records, spread evenly over its partitions batch by batch. */
export async function preloadTopic(
  broker: string,
  topic: string,
  records: number,
  signal: AbortSignal,
): Promise<PreloadedTopic> {
  await createTopic(broker, topic);
  const startedMs = performance.now();
  const producer = await BatchProducer.connect(broker, topic);
  try {
    const totals = await fill(producer, records, signal);
    return {
      topic,
      records,
      valueBytes: totals.values,
      meanRecordBytes: totals.values / records,
      compressionRatio: totals.uncompressed / totals.compressed,
      batchUncompressedBytes: Math.round(totals.uncompressed / totals.batches),
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    producer.close();
  }
}

/** Sums of bytes, by what is counted, and the number of batches. */
interface Totals {
  values: number;
  uncompressed: number;
  compressed: number;
  batches: number;
}

async function fill(producer: BatchProducer, records: number, signal: AbortSignal): Promise<Totals> {
  const nextRecord = createRecordSource();
  const builder = new RecordBatchBuilder(BATCH_BYTES);
  const totals: Totals = { values: 0, uncompressed: 0, compressed: 0, batches: 0 };
  let pending: PartitionBatch[] = [];

  const endBatch = async (): Promise<void> => {
    const { bytes, uncompressedBytes } = builder.finish();
    totals.uncompressed += uncompressedBytes;
    totals.compressed += bytes.length;
    pending.push({ partition: totals.batches % PARTITIONS, batch: bytes });
    totals.batches += 1;
    if (pending.length < PARTITIONS) return;
    await producer.send(pending);
    pending = [];
  };

  for (let made = 0; made < records; made += 1) {
    const value = nextRecord();
    totals.values += value.length;
    if (!builder.add(value, Date.now())) {
      signal.throwIfAborted();
      await endBatch();
      builder.add(value, Date.now());
    }
  }
  if (builder.count > 0) await endBatch();
  if (pending.length > 0) await producer.send(pending);
  await producer.flush();
  return totals;
}

/** Creates an empty topic of `PARTITIONS` partitions. */
export async function createTopic(broker: string, topic: string): Promise<void> {
  await withAdmin(broker, async (admin) => {
    await admin.createTopics({
      topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }],
      waitForLeaders: true,
    });
    await untilLeadersAnswer(admin, topic);
  });
}

/** A new topic has leaders before these know it, and refuse records until they do. */
async function untilLeadersAnswer(admin: Admin, topic: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (thrown) {
      if (attempt === LEADER_ATTEMPTS) throw thrown;
      await sleep(LEADER_PAUSE_MS);
    }
  }
}
