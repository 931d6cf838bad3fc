/** Records whose lines name them, and the transform of their batches. */
import type { RawBatch } from '../../src/consume/raw-batch.ts';
import type { LogFile } from '../../src/core/files.ts';
import type { Region, TransformResult, TransformTask } from '../../src/core/messages.ts';
import type { Random } from '../../src/generate/random.ts';
import { NO_FACTS } from '../../src/storage/facts.ts';

/** Records [first, end) and, up to `next`, offsets without a record; no record at all when `end` is `first`. */
export interface Batch {
  readonly first: number;
  readonly end: number;
  readonly next: number;
}

const BATCH_BYTES = 16;

export function logOf(random: Random, batches: number): Batch[] {
  let first = 0;
  return Array.from({ length: batches }, () => {
    const count = random.chance(0.1) ? 0 : 1 + random.below(4);
    const gap = count === 0 || random.chance(0.2) ? 1 : 0;
    const batch = { first, end: first + count, next: first + count + gap };
    first = batch.next;
    return batch;
  });
}

/** Which files a record has a line in. */
export function filesOf(offset: number): readonly LogFile[] {
  if (offset % 7 === 6) return ['quarantine'];
  return offset % 3 === 0 ? ['service_logs', 'error_logs'] : ['service_logs'];
}

export function lineOf(partition: number, offset: number): string {
  return `{"p":${partition},"o":${offset}}\n`;
}

export function rawBatchOf({ first, end }: Batch): RawBatch {
  const bytes = Buffer.alloc(BATCH_BYTES);
  bytes.writeUInt32LE(first, 0);
  bytes.writeUInt32LE(end, 4);
  return { bytes, baseOffset: first, lastOffset: end - 1, recordCount: end - first, maxTimestampMs: 0 };
}

/** What the pool makes of a task. */
export function transform({
  partition,
  firstOffset,
  input,
  inputBytes,
  output,
}: TransformTask): TransformResult {
  const bytes = Buffer.from(input, 0, inputBytes);
  const lines: Record<'service_logs' | 'error_logs' | 'quarantine', string> = {
    service_logs: '',
    error_logs: '',
    quarantine: '',
  };
  const records = { service_logs: 0, error_logs: 0, quarantine: 0 };
  for (let position = 0; position < inputBytes; position += BATCH_BYTES) {
    const end = bytes.readUInt32LE(position + 4);
    for (let offset = Math.max(firstOffset, bytes.readUInt32LE(position)); offset < end; offset += 1) {
      for (const file of filesOf(offset) as (keyof typeof lines)[]) {
        lines[file] += lineOf(partition, offset);
        records[file] += 1;
      }
    }
  }
  const target = Buffer.from(output);
  const regions: Region[] = [];
  let start = 0;
  for (const file of ['service_logs', 'error_logs', 'quarantine'] as const) {
    if (records[file] === 0) continue;
    const end = start + target.write(lines[file], start, 'latin1');
    regions.push({ file, start, end, records: records[file] });
    start = end;
  }
  const { service_logs: written, quarantine: quarantined } = records;
  return {
    input,
    output,
    regions,
    facts: NO_FACTS,
    counts: {
      consumed: written + quarantined,
      written,
      filtered: 0,
      quarantined,
      missingTimestamps: 0,
      unknownLevels: 0,
      quarantineReasons: quarantined === 0 ? {} : { not_json: quarantined },
    },
    kafkaTimestamps: Float64Array.of(0, written + quarantined),
  };
}
