/**
 * One unit of work of the transform pool: raw record batches in, whole lines and what is known about
 * them out. Everything here is used again from unit to unit; nothing is allocated per record.
 *
 * The output buffer holds, in the order of LOG_FILES: the lines of `service_logs` as the records came,
 * then copies of the lines that belong to each category, then the lines of `quarantine`.
 *
 * The same task always gives the same result, so a unit that is read again after a crash gives the
 * same lines.
 */
import { CATEGORIES, type LogFile } from '../core/files.ts';
import { invariant } from '../core/invariant.ts';
import type { Region, TransformResult, TransformTask } from '../core/messages.ts';
import type { QuarantineReason } from '../core/quarantine.ts';
import { appendUndecodedBatch } from './batch-quarantine.ts';
import { decompress } from './codecs/decompress.ts';
import { corrupt, DecodeFailure } from './decode-failure.ts';
import { LineBuffer } from './line-buffer.ts';
import { LineFactsCounter } from './line-facts.ts';
import { LineRanges } from './line-ranges.ts';
import type { RawRecord } from './raw-record.ts';
import { BATCH_HEADER_BYTES, checkBatch, type RecordBatchHeader, readBatchHeader } from './record-batch.ts';
import { NEXT, RecordReader } from './record-reader.ts';
import { TimestampCounts } from './timestamp-counts.ts';
import { UnitCounter } from './unit-counter.ts';

const QUARANTINE_MEMORY_BYTES = 64 * 1024;
/** More than this is not kept after the unit that needed it. */
const MAX_KEPT_QUARANTINE_BYTES = 4 * 1024 * 1024;

/** What a unit needs of RecordTransformer (record-transformer.ts). The fields describe the latest record. */
export interface UnitRecordTransformer {
  /** Appends the record's line to `lines` (0), nothing (1: below the minimum level) or a line to `quarantine` (2). */
  transform(
    record: RawRecord,
    source: { readonly topic: string; readonly partition: number },
    lines: LineBuffer,
    quarantine: LineBuffer,
  ): 0 | 1 | 2;
  /** Bit i: the record belongs to CATEGORIES[i]. */
  readonly categories: number;
  readonly levelRank: number;
  readonly timestampMs: number;
  readonly serviceId: number;
  readonly missingTimestamp: boolean;
  readonly unknownLevel: boolean;
  readonly quarantineReason: QuarantineReason | null;
  serviceName(id: number): string;
}

export class UnitTransformer {
  private readonly transformer: UnitRecordTransformer;
  private readonly maxDecompressedBytes: number;

  private readonly lines = new LineBuffer(new ArrayBuffer(0));
  private readonly quarantine = new LineBuffer(new ArrayBuffer(QUARANTINE_MEMORY_BYTES));
  private readonly reader = new RecordReader();
  private readonly facts = new LineFactsCounter();
  private readonly counter = new UnitCounter();
  private readonly timestamps = new TimestampCounts();
  private readonly categoryRanges = CATEGORIES.map(() => new LineRanges());
  private quarantineLines = 0;
  private readonly record: RawRecord = {
    bytes: new Uint8Array(0),
    offset: 0,
    timestamp: -1,
    keyStart: -1,
    keyEnd: -1,
    valueStart: -1,
    valueEnd: -1,
    headersStart: 0,
    headersEnd: 0,
    headerCount: 0,
  };

  /** @param maxDecompressedBytes the limit on the decompressed records of one batch */
  constructor(transformer: UnitRecordTransformer, maxDecompressedBytes: number) {
    this.transformer = transformer;
    this.maxDecompressedBytes = maxDecompressedBytes;
  }

  /** Transforms every record of the task at or above its first offset. Throws only on bugs. */
  transform(task: TransformTask): TransformResult {
    this.reset(task);
    const bytes = new Uint8Array(task.input, 0, task.inputBytes);
    const view = new DataView(task.input, 0, task.inputBytes);
    let position = 0;
    let nextOffset = task.firstOffset;
    while (position < bytes.length) {
      const header = readBatchHeader(view, position, bytes.length);
      if (header instanceof DecodeFailure) {
        this.quarantineRest(task, bytes.subarray(position), nextOffset, header);
        break;
      }
      if (header.lastOffset >= task.firstOffset) this.transformBatch(task, bytes, view, header);
      position = header.end;
      nextOffset = Math.max(nextOffset, header.lastOffset + 1);
    }
    return this.result(task);
  }

  private reset(task: TransformTask): void {
    this.lines.reset(task.output);
    if (this.quarantine.bytes.length > MAX_KEPT_QUARANTINE_BYTES) {
      this.quarantine.reset(new ArrayBuffer(QUARANTINE_MEMORY_BYTES));
    }
    this.quarantine.length = 0;
    this.quarantineLines = 0;
    this.facts.reset();
    this.counter.reset();
    this.timestamps.reset();
    for (const ranges of this.categoryRanges) ranges.reset();
  }

  private transformBatch(
    task: TransformTask,
    bytes: Uint8Array,
    view: DataView,
    header: RecordBatchHeader,
  ): void {
    const damage = checkBatch(bytes, view, header);
    if (damage !== null) {
      this.quarantineBatch(task, bytes, header, header.baseOffset, damage, null);
      return;
    }
    // Transaction markers are no data. The consumer keeps them to itself; one that gets here is whole.
    if (header.isControl) return;
    const recordsStart = header.start + BATCH_HEADER_BYTES;
    if (header.recordCount === 0 && recordsStart === header.end) return;
    const compressed = bytes.subarray(recordsStart, header.end);
    const records = decompress(header.codec, compressed, this.maxDecompressedBytes);
    if (records instanceof DecodeFailure) {
      this.quarantineBatch(task, bytes, header, header.baseOffset, records, header.recordCount);
      return;
    }
    this.reader.open(header, records, 0, records.length);
    if (this.transformRecords(task) === NEXT.end) return;
    const unread = header.recordCount - this.reader.recordsRead;
    this.quarantineBatch(task, bytes, header, this.reader.latestOffset + 1, this.reader.failure(), unread);
  }

  private transformRecords(task: TransformTask): typeof NEXT.end | typeof NEXT.corrupt {
    const { reader, record } = this;
    for (;;) {
      const next = reader.next(record);
      if (next !== NEXT.record) return next;
      if (record.offset >= task.firstOffset) this.transformRecord(task, record);
    }
  }

  private transformRecord(task: TransformTask, record: RawRecord): void {
    const { transformer, lines, counter } = this;
    const lineStart = lines.length;
    const outcome = transformer.transform(record, task, lines, this.quarantine);
    this.timestamps.add(record.timestamp);
    if (outcome === 2) {
      const reason = transformer.quarantineReason;
      invariant(reason !== null, 'a quarantined record has a reason');
      counter.addQuarantined(reason, 1);
      this.quarantineLines += 1;
      return;
    }
    if (transformer.unknownLevel) counter.unknownLevels += 1;
    if (outcome === 1) {
      counter.filtered += 1;
      return;
    }
    counter.written += 1;
    if (transformer.missingTimestamp) counter.missingTimestamps += 1;
    this.facts.add(transformer.timestampMs, transformer.levelRank, transformer.serviceId);
    if (transformer.categories !== 0) this.addToCategories(transformer.categories, lineStart);
  }

  private addToCategories(categories: number, lineStart: number): void {
    for (let index = 0; index < this.categoryRanges.length; index += 1) {
      if ((categories & (1 << index)) !== 0) this.categoryRanges[index]?.add(lineStart, this.lines.length);
    }
  }

  /**
   * Quarantines the records of a batch from `firstUndecoded` on.
   * @param countedRecords how many those are by the batch's header; null when it cannot be trusted
   */
  private quarantineBatch(
    task: TransformTask,
    bytes: Uint8Array,
    header: RecordBatchHeader,
    firstUndecoded: number,
    failure: DecodeFailure,
    countedRecords: number | null,
  ): void {
    const { lastOffset } = header;
    const firstOffset = Math.max(firstUndecoded, task.firstOffset);
    const offsets = lastOffset - firstOffset + 1;
    const isCountPossible = countedRecords !== null && countedRecords > 0;
    const records = isCountPossible ? Math.min(countedRecords, offsets) : offsets;
    const timestampMs = countedRecords === null ? -1 : header.maxTimestampMs;
    const raw = bytes.subarray(header.start, header.end);
    this.quarantineOffsets(task, { firstOffset, lastOffset, records, timestampMs, raw }, failure);
  }

  /** Quarantines bytes in which not even the end of the batch can be found. */
  private quarantineRest(task: TransformTask, raw: Uint8Array, offset: number, failure: DecodeFailure): void {
    const rest = { firstOffset: offset, lastOffset: offset, records: 1, timestampMs: -1, raw };
    this.quarantineOffsets(
      task,
      rest,
      corrupt(`${failure.detail}; nothing behind it in this unit can be read`),
    );
  }

  private quarantineOffsets(
    task: TransformTask,
    batch: { firstOffset: number; lastOffset: number; records: number; timestampMs: number; raw: Uint8Array },
    failure: DecodeFailure,
  ): void {
    const { topic, partition } = task;
    appendUndecodedBatch(this.quarantine, { topic, partition, ...batch }, failure);
    this.counter.addQuarantined(failure.reason, batch.records);
    this.quarantineLines += 1;
  }

  private result(task: TransformTask): TransformResult {
    const { lines, quarantine } = this;
    const regions: Region[] = [];
    addRegion(regions, 'service_logs', 0, lines.length, this.counter.written);
    for (const [index, category] of CATEGORIES.entries()) {
      const ranges = this.categoryRanges[index];
      invariant(ranges !== undefined, 'every category has its ranges');
      const start = lines.length;
      ranges.repeatIn(lines);
      addRegion(regions, category, start, lines.length, ranges.records);
    }
    const quarantineStart = lines.length;
    lines.reserve(quarantine.length);
    lines.bytes.set(quarantine.bytes.subarray(0, quarantine.length), quarantineStart);
    lines.length += quarantine.length;
    addRegion(regions, 'quarantine', quarantineStart, lines.length, this.quarantineLines);
    return {
      input: task.input,
      output: lines.memory,
      regions,
      facts: this.facts.facts((id) => this.transformer.serviceName(id)),
      counts: this.counter.counts(),
      kafkaTimestamps: this.timestamps.pairs(),
    };
  }
}

function addRegion(regions: Region[], file: LogFile, start: number, end: number, records: number): void {
  if (end > start) regions.push({ file, start, end, records });
}
