/** Fills the benchmark's topic. */
import kafkajs from 'kafkajs';
import { BatchProducer, type PartitionBatch } from './batch-producer.ts';
import { RecordBatchBuilder } from './record-batch.ts';
import { createRecordSource } from './records.ts';

export const PARTITIONS = 8;

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
  const nextRecord = createRecordSource();
  const builder = new RecordBatchBuilder(BATCH_BYTES);
  const producer = await BatchProducer.connect(broker, topic);
  const totals = { values: 0, uncompressed: 0, compressed: 0, batches: 0 };
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
  await producer.close();

  return {
    topic,
    records,
    valueBytes: totals.values,
    meanRecordBytes: totals.values / records,
    compressionRatio: totals.uncompressed / totals.compressed,
    batchUncompressedBytes: Math.round(totals.uncompressed / totals.batches),
    seconds: (performance.now() - startedMs) / 1000,
  };
}

async function createTopic(broker: string, topic: string): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await admin.createTopics({
      topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }],
      waitForLeaders: true,
    });
  } finally {
    await admin.disconnect();
  }
}
