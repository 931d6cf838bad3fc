/** Directories whose records went through the real parser and the real writer, and what replays add. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_CATEGORY_RULES } from '../../src/core/category-rules.ts';
import type { LogFile } from '../../src/core/files.ts';
import type { WriterOptions } from '../../src/core/messages.ts';
import { SEGMENT_SUFFIX } from '../../src/storage/layout.ts';
import { loadReplayJournal } from '../../src/storage/replay-journal.ts';
import type { UnitOptions } from '../../src/transform/pool.ts';
import { RecordTransformer } from '../../src/transform/record-transformer.ts';
import { createReparser } from '../../src/transform/reparse.ts';
import { UnitTransformer } from '../../src/transform/unit.ts';
import { type ReplayOptions, type ReplayReport, replay } from '../../src/upkeep/replay.ts';
import { contentOf } from './directory-content.ts';
import { buildRecordBatch, type TestBatch } from './record-batch-builder.ts';
import { TestClock, WriterHarness } from './writer-harness.ts';

/** Whatever the limits are raised to. */
export const WIDE: UnitOptions = {
  minLevel: 'TRACE',
  maxRecordBytes: 1 << 20,
  maxDepth: 100,
  maxDecompressedBytes: 1 << 24,
  categories: DEFAULT_CATEGORY_RULES,
};

/** What the first run had: most of the records below are too large for it. */
export const NARROW: UnitOptions = { ...WIDE, maxRecordBytes: 100 };

/** Consecutive batches of one partition, from offset 0. */
export interface PartitionBatches {
  readonly partition: number;
  readonly batches: readonly TestBatch[];
}

/** Consumes the batches into `directory`; a unit for each batch. */
export async function ingest(
  directory: string,
  partitions: readonly PartitionBatches[],
  options: UnitOptions,
  writer: Partial<WriterOptions> = { maxFileBytes: 700, bufferRecords: 1 },
): Promise<void> {
  const harness = new WriterHarness(directory, writer);
  const transformer = new UnitTransformer(new RecordTransformer(options), options.maxDecompressedBytes);
  for (const { partition, batches } of partitions) {
    let offset = 0;
    for (const batch of batches) {
      const bytes = buildRecordBatch({ ...batch, baseOffset: offset });
      const firstOffset = offset;
      offset += bytes.readInt32BE(23) + 1;
      const input = new Uint8Array(bytes).buffer;
      const task = { topic: 'logs', partition, firstOffset, input, inputBytes: bytes.length };
      const result = transformer.transform({ ...task, output: new ArrayBuffer(16) });
      harness.append({ ...result, topic: 'logs', partition, firstOffset, nextOffset: offset });
    }
  }
  await harness.stop();
}

/** Replays with the wide limits, without waiting for Kafka. */
export function replayWide(root: string, options: Partial<ReplayOptions> = {}): Promise<ReplayReport> {
  return replay({
    root,
    reparse: createReparser(WIDE),
    maxFileBytes: 1 << 20,
    reason: undefined,
    dryRun: false,
    clock: new TestClock(),
    settleMs: 0,
    ...options,
  });
}

/** The lines of all segments that finished replays list, of one kind of file. */
export function replayedLines(directory: string, file: LogFile): string[] {
  return loadReplayJournal(directory)
    .runs.flatMap(({ segments }) => segments.filter((segment) => segment.file === file))
    .flatMap(({ base }) => linesIn(contentOfSegment(join(directory, base))));
}

/** All lines that were ever stored of one kind of file, sorted. */
export function storedLines(directory: string, file: LogFile): string[] {
  return [...linesIn(contentOf(directory, file)), ...replayedLines(directory, file)].sort();
}

function contentOfSegment(path: string): string {
  const plain = path + SEGMENT_SUFFIX.plain;
  if (existsSync(plain)) return readFileSync(plain, 'utf8');
  return gunzipSync(readFileSync(path + SEGMENT_SUFFIX.gzip)).toString();
}

function linesIn(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
