/**
 * Walks the records of one decompressed batch, filling one `RawRecord` over and over.
 *
 * Bytes of a hostile producer arrive here, so: nothing is read beyond the end of the record, every call
 * of `next` consumes bytes or ends the walk, and a record costs time by its number of fields, not of
 * its headers (they are passed over by the record's length).
 *
 * Source: KIP-98, `Record` in the Kafka protocol guide. Varints are zigzag-encoded, of at most 5 bytes,
 * varlongs of at most 10.
 *
 *   length varint | attributes int8 | timestamp delta varlong | offset delta varint
 *   key length varint, key | value length varint, value | number of headers varint, headers
 */
import { corrupt, type DecodeFailure } from './decode-failure.ts';
import type { RawRecord } from './raw-record.ts';
import { type RecordBatchHeader, timestampOrNone } from './record-batch.ts';

/** A header is at least the lengths of its name and of its value. */
const MIN_HEADER_BYTES = 2;

/** What `next` found. */
export const NEXT = { record: 0, end: 1, corrupt: 2 } as const;

export type Next = (typeof NEXT)[keyof typeof NEXT];

export class RecordReader {
  /** Records read so far, and the offset of the latest (before the first: one below the batch). */
  recordsRead = 0;
  latestOffset = -1;

  private bytes: Uint8Array = new Uint8Array(0);
  private position = 0;
  private end = 0;
  private isCorrupt = false;
  private problem = '';
  private baseOffset = 0;
  private lastOffset = 0;
  private baseTimestampMs = 0;
  private appendTimestampMs = -1;
  private hasLogAppendTime = false;
  private recordCount = 0;

  /** Starts over on the records of another batch, which lie in `bytes` from `start` to `end`. */
  open(header: RecordBatchHeader, bytes: Uint8Array, start: number, end: number): void {
    this.recordsRead = 0;
    this.latestOffset = header.baseOffset - 1;
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.isCorrupt = false;
    this.problem = '';
    this.baseOffset = header.baseOffset;
    this.lastOffset = header.lastOffset;
    this.baseTimestampMs = header.baseTimestampMs;
    this.appendTimestampMs = header.maxTimestampMs;
    this.hasLogAppendTime = header.hasLogAppendTime;
    this.recordCount = header.recordCount;
    // Offsets within a batch are distinct, so more records than offsets cannot be.
    if (header.recordCount < 0 || header.recordCount > header.lastOffset - header.baseOffset + 1) {
      this.fail(`impossible number of records ${header.recordCount}`);
    }
  }

  /** Fills `record` with the next record. After anything but `NEXT.record` the walk is over. */
  next(record: RawRecord): Next {
    if (this.isCorrupt) return NEXT.corrupt;
    // Behind the last offset there can be no record, whatever the number of records says.
    if (this.latestOffset === this.lastOffset) return NEXT.end;
    if (this.recordsRead === this.recordCount) return this.finish();
    const length = this.readVarint(this.end);
    const recordEnd = this.position + length;
    if (length <= 0 || recordEnd > this.end) this.fail(`impossible record length ${length}`);
    else this.readFields(record, recordEnd);
    if (this.isCorrupt) return NEXT.corrupt;
    this.position = recordEnd;
    this.recordsRead += 1;
    this.latestOffset = record.offset;
    return NEXT.record;
  }

  /** Why the walk ended with `NEXT.corrupt`. */
  failure(): DecodeFailure {
    return corrupt(`${this.problem}, after ${this.recordsRead} of ${this.recordCount} records`);
  }

  /** There are offsets left, so bytes that are left as well may be records. */
  private finish(): Next {
    if (this.position === this.end) return NEXT.end;
    this.fail(`${this.end - this.position} bytes behind the last record`);
    return NEXT.corrupt;
  }

  private readFields(record: RawRecord, recordEnd: number): void {
    this.position += 1; // attributes, unused by Kafka
    const timestampDelta = this.readVarlong(recordEnd);
    const offset = this.baseOffset + this.readVarint(recordEnd);
    if (offset <= this.latestOffset || offset > this.lastOffset)
      this.fail(`impossible record offset ${offset}`);
    record.bytes = this.bytes;
    record.offset = offset;
    record.timestamp = this.hasLogAppendTime
      ? this.appendTimestampMs
      : timestampOrNone(this.baseTimestampMs + timestampDelta);
    const keyLength = this.readLength(recordEnd);
    record.keyStart = keyLength < 0 ? -1 : this.position;
    record.keyEnd = keyLength < 0 ? -1 : this.position + keyLength;
    this.position += Math.max(keyLength, 0);
    const valueLength = this.readLength(recordEnd);
    record.valueStart = valueLength < 0 ? -1 : this.position;
    record.valueEnd = valueLength < 0 ? -1 : this.position + valueLength;
    this.position += Math.max(valueLength, 0);
    const headerCount = this.readVarint(recordEnd);
    if (headerCount < 0 || headerCount * MIN_HEADER_BYTES > recordEnd - this.position) {
      this.fail(`impossible number of headers ${headerCount}`);
    }
    record.headerCount = headerCount;
    record.headersStart = this.position;
    record.headersEnd = recordEnd;
  }

  /** A length of bytes that follow, -1 for null. */
  private readLength(recordEnd: number): number {
    const length = this.readVarint(recordEnd);
    if (length >= -1 && length <= recordEnd - this.position) return length;
    this.fail(`impossible field length ${length}`);
    return -1;
  }

  private readVarint(end: number): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.position >= end) break;
      const byte = this.bytes[this.position++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
    }
    this.fail('a number that does not end');
    return 0;
  }

  /** Exact while the result is below 2^53; a timestamp beyond it is out of range anyway. */
  private readVarlong(end: number): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count += 1) {
      if (this.position >= end) break;
      const byte = this.bytes[this.position++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      scale *= 128;
    }
    this.fail('a number that does not end');
    return 0;
  }

  /** Keeps the first problem: what is read after it means nothing. */
  private fail(problem: string): void {
    if (this.isCorrupt) return;
    this.isCorrupt = true;
    this.problem = problem;
  }
}
