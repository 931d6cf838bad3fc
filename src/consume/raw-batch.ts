/**
 * The record batches that the patched kafkajs (patches/kafkajs+2.2.4.patch) hands out in place of
 * messages: whole, still compressed, unchecked.
 *
 * What decides where the consumer reads next is checked here, before anything is resolved: neither a
 * batch's base offset nor its length is under its CRC, and a damaged offset would move the position
 * over records that were never read. What is inside a batch is the transform pool's to judge.
 */

import { ServiceError } from '../core/errors.ts';
import type { TopicPartition } from '../core/offsets.ts';
import { extendChecksum } from '../storage/checksum.ts';

const BATCH_HEADER_BYTES = 61;
const CRC_POSITION = 17;
const CRC_COVERED_START = 21;

/** One Kafka record batch, magic 2. */
export interface RawBatch {
  /** From the base offset to the end of the records. A slice of the whole fetch response: copy it to keep it. */
  readonly bytes: Uint8Array;
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** By its header, so unchecked; 0 for a batch that compaction has emptied. */
  readonly recordCount: number;
  /** Milliseconds since the epoch, -1 for none. */
  readonly maxTimestampMs: number;
}

/**
 * Narrows the messages of an `eachBatch` payload to raw record batches, in ascending order of offsets.
 * A batch with impossible offsets ends the list; the next fetch begins with it.
 * @throws ServiceError KAFKA_FAILED when the first batch is such a one, or is no raw batch at all.
 */
export function readRawBatches(source: TopicPartition, messages: readonly unknown[]): RawBatch[] {
  const batches: RawBatch[] = [];
  let nextOffset = 0;
  for (const message of messages) {
    const batch = narrow(source, message);
    const problem = problemOf(batch, nextOffset);
    if (problem !== null) {
      if (batches.length > 0) break;
      throw impossibleBatch(source, batch, problem);
    }
    batches.push(batch);
    nextOffset = batch.lastOffset + 1;
  }
  return batches;
}

function problemOf(batch: RawBatch, nextOffset: number): string | null {
  const { baseOffset, lastOffset } = batch;
  if (!Number.isSafeInteger(baseOffset) || !Number.isSafeInteger(lastOffset)) return 'it has no offsets';
  if (lastOffset < baseOffset) return `it ends at offset ${lastOffset}`;
  if (baseOffset < nextOffset) return `the batch before it ends at offset ${nextOffset - 1}`;
  return hasDoubtfulEnd(batch) ? 'its CRC-32C is wrong and its end does not agree with its records' : null;
}

/**
 * As producers write them, batches have as many records as offsets. Fewer are normal after compaction;
 * otherwise the last offset is damaged, and taking it for true would skip the batches behind it.
 */
function hasDoubtfulEnd(batch: RawBatch): boolean {
  if (batch.recordCount === batch.lastOffset - batch.baseOffset + 1) return false;
  const { bytes } = batch;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return extendChecksum(0, bytes.subarray(CRC_COVERED_START)) !== view.getUint32(CRC_POSITION);
}

function narrow(source: TopicPartition, message: unknown): RawBatch {
  if (isRecord(message)) {
    const { rawBatch, recordCount, batchContext, offset, timestamp } = message;
    const isWhole = rawBatch instanceof Uint8Array && rawBatch.length >= BATCH_HEADER_BYTES;
    if (isWhole && typeof recordCount === 'number' && isRecord(batchContext)) {
      return {
        bytes: rawBatch,
        baseOffset: Number(batchContext['firstOffset']),
        lastOffset: Number(offset),
        recordCount,
        maxTimestampMs: Math.max(-1, Number(timestamp)),
      };
    }
  }
  throw new ServiceError(
    'KAFKA_FAILED',
    `kafkajs handed out decoded messages of ${source.topic}/${source.partition} instead of record batches: ` +
      'run `npx patch-package` if its patch is not applied, or rewrite the topic if it still holds messages ' +
      'of a format older than Kafka 0.11.',
    { topic: source.topic, partition: source.partition },
  );
}

function impossibleBatch(source: TopicPartition, batch: RawBatch, problem: string): ServiceError {
  return new ServiceError(
    'KAFKA_FAILED',
    `The record batch at offset ${batch.baseOffset} of ${source.topic}/${source.partition} is damaged ` +
      `(${problem}), so the offset to go on from is unknown: check the broker's log, then move the group's ` +
      'position behind the batch.',
    { topic: source.topic, partition: source.partition, offset: batch.baseOffset },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
