/**
 * Encodes Kafka record batches (magic 2) as a Java producer with LZ4 makes them: one frame per batch,
 * no keys, no headers. Format: https://kafka.apache.org/documentation/#recordbatch
 */
import { crc32c } from '@node-rs/crc32';
import { compressFrameSync } from 'lz4-napi';

const HEADER_BYTES = 61;
const CRC_POSITION = 17;
const CRC_COVERED_START = 21;
const LZ4 = 3;
/** Room for a record's length, attributes, deltas and counts around its value. */
const MAX_RECORD_OVERHEAD_BYTES = 24;

/** Collects records and encodes them as one batch. One builder is used for many batches. */
export class RecordBatchBuilder {
  private readonly records: Buffer;
  private recordsLength = 0;
  private firstTimestampMs = 0;
  private lastTimestampMs = 0;
  count = 0;

  /** @param capacityBytes uncompressed bytes of a batch; a record that does not fit is refused. */
  constructor(capacityBytes: number) {
    this.records = Buffer.allocUnsafe(capacityBytes);
  }

  /** False when the batch is full; the record is then not in it. */
  add(value: Buffer, timestampMs: number): boolean {
    if (this.recordsLength + value.length + MAX_RECORD_OVERHEAD_BYTES > this.records.length) return false;
    if (this.count === 0) this.firstTimestampMs = timestampMs;
    this.lastTimestampMs = timestampMs;
    const timestampDelta = timestampMs - this.firstTimestampMs;
    const bodyLength =
      1 +
      varintBytes(timestampDelta) +
      varintBytes(this.count) +
      1 +
      varintBytes(value.length) +
      value.length +
      1;
    this.writeVarint(bodyLength);
    this.records[this.recordsLength++] = 0;
    this.writeVarint(timestampDelta);
    this.writeVarint(this.count);
    this.writeVarint(-1);
    this.writeVarint(value.length);
    this.recordsLength += value.copy(this.records, this.recordsLength);
    this.writeVarint(0);
    this.count += 1;
    return true;
  }

  /** Returns the batch, which must hold a record, and begins the next. */
  finish(): { readonly bytes: Buffer; readonly uncompressedBytes: number } {
    const uncompressedBytes = this.recordsLength;
    const compressed = compressFrameSync(this.records.subarray(0, uncompressedBytes));
    const bytes = Buffer.allocUnsafe(HEADER_BYTES + compressed.length);
    bytes.writeBigInt64BE(0n, 0);
    bytes.writeInt32BE(bytes.length - 12, 8);
    bytes.writeInt32BE(-1, 12);
    bytes.writeInt8(2, 16);
    bytes.writeInt16BE(LZ4, 21);
    bytes.writeInt32BE(this.count - 1, 23);
    bytes.writeBigInt64BE(BigInt(this.firstTimestampMs), 27);
    bytes.writeBigInt64BE(BigInt(this.lastTimestampMs), 35);
    bytes.writeBigInt64BE(-1n, 43);
    bytes.writeInt16BE(-1, 51);
    bytes.writeInt32BE(-1, 53);
    bytes.writeInt32BE(this.count, 57);
    compressed.copy(bytes, HEADER_BYTES);
    bytes.writeUInt32BE(crc32c(bytes.subarray(CRC_COVERED_START)), CRC_POSITION);
    this.recordsLength = 0;
    this.count = 0;
    return { bytes, uncompressedBytes };
  }

  private writeVarint(value: number): void {
    let rest = zigzag(value);
    while (rest > 0x7f) {
      this.records[this.recordsLength++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.records[this.recordsLength++] = rest;
  }
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest > 0x7f; rest >>>= 7) bytes += 1;
  return bytes;
}
