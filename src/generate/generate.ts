/** The `generate` command: endless realistic records to Kafka or to a stream, at a rate or at full speed. */
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectKafkaSink, type KafkaTarget } from './kafka-sink.ts';
import { createLineSink } from './line-sink.ts';
import { type GeneratedRecord, generateRecords } from './records.ts';
import type { RecordSink } from './sink.ts';
import { TokenBucket } from './token-bucket.ts';

export interface GenerateOptions {
  readonly target:
    | ({ readonly kind: 'kafka' } & KafkaTarget)
    | { readonly kind: 'stream'; readonly stream: Writable };
  /** Records per second, or as fast as the target takes them. */
  readonly rate: number | 'max';
  /** Stop after so many records; Infinity to go on until the signal. */
  readonly count: number;
  readonly seed: number;
  /** Share of malformed records, from 0 to 1. */
  readonly malformedShare: number;
  /** Aborting ends the run after the batch under way, without an error. */
  readonly signal: AbortSignal;
}

/** What was delivered so far: acknowledged by Kafka, or handed to the stream. */
export interface GenerateProgress {
  readonly records: number;
  readonly bytes: number;
  readonly elapsedMs: number;
}

/** Records sent at once: large enough for full speed, small enough for kafkajs, which joins them by quadratic copying. */
const MAX_BATCH = 2000;
/** Below this, waiting costs more than the records. */
const MIN_PAUSE_MS = 5;
const MAX_PAUSE_MS = 1000;

/**
 * Generates until `count` records are delivered, the signal aborts, or nobody reads the stream any more.
 * @param onProgress called after every batch.
 * @returns what was delivered.
 * @throws ServiceError BROKER_UNREACHABLE, TOPIC_MISSING, KAFKA_FAILED or WRITE_FAILED.
 */
export async function runGenerate(
  options: GenerateOptions,
  onProgress: (progress: GenerateProgress) => void,
): Promise<GenerateProgress> {
  const { target } = options;
  const sink = target.kind === 'kafka' ? await connectKafkaSink(target) : createLineSink(target.stream);
  try {
    return await pump(sink, options, onProgress);
  } finally {
    await sink.close();
  }
}

async function pump(
  sink: RecordSink,
  options: GenerateOptions,
  onProgress: (progress: GenerateProgress) => void,
): Promise<GenerateProgress> {
  const source = generateRecords({
    seed: options.seed,
    malformedShare: options.malformedShare,
    now: Date.now,
  });
  const bucket = options.rate === 'max' ? null : new TokenBucket(options.rate, () => performance.now());
  const startedMs = performance.now();
  let progress: GenerateProgress = { records: 0, bytes: 0, elapsedMs: 0 };
  while (progress.records < options.count && !options.signal.aborted) {
    const wanted = Math.min(MAX_BATCH, options.count - progress.records);
    const allowed = bucket === null ? wanted : bucket.take(wanted);
    if (bucket !== null && allowed === 0) {
      await pause(bucket.msUntilNext(), options.signal);
      continue;
    }
    const batch = drawBatch(source, allowed);
    if (!(await sink.send(batch.records))) break;
    progress = {
      records: progress.records + allowed,
      bytes: progress.bytes + batch.bytes,
      elapsedMs: performance.now() - startedMs,
    };
    onProgress(progress);
  }
  return progress;
}

function drawBatch(source: Generator<GeneratedRecord, never, void>, count: number) {
  const records: GeneratedRecord[] = [];
  let bytes = 0;
  while (records.length < count) {
    const record = source.next().value;
    records.push(record);
    bytes += record.value.length;
  }
  return { records, bytes };
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const bounded = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, milliseconds));
  try {
    await sleep(bounded, undefined, { signal });
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
}
