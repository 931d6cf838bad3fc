/**
 * The header of a Kafka record batch, magic 2.
 *
 * Source: KIP-98, `Record Batch` in the Kafka protocol guide. All numbers are big-endian.
 *
 *    0  base offset            int64   written by the broker, so not under the CRC
 *    8  length                 int32   bytes after this field; not under the CRC
 *   12  partition leader epoch int32   written by the broker, so not under the CRC
 *   16  magic                  int8
 *   17  CRC-32C                uint32  of everything from the attributes to the end
 *   21  attributes             int16   0-2 codec, 3 log append time, 4 transactional, 5 control, 6 delete horizon
 *   23  last offset delta      int32   kept by compaction, which may remove the last record
 *   27  base timestamp         int64
 *   35  max timestamp          int64
 *   43  producer id, epoch and first sequence: int64, int16, int32
 *   57  number of records      int32
 *   61  records, compressed together
 */
import { crc32c } from '@node-rs/crc32';
import { corrupt, type DecodeFailure } from './decode-failure.ts';

export const BATCH_HEADER_BYTES = 61;

const LENGTH_FIELD_END = 12;
const CRC_COVERED_START = 21;
const CODEC_MASK = 0x07;
const LOG_APPEND_TIME_FLAG = 0x08;
const CONTROL_FLAG = 0x20;

/** The farthest instant a JavaScript Date can hold, ms since the epoch. */
const MAX_TIMESTAMP_MS = 8.64e15;

export interface RecordBatchHeader {
  /** Where the batch lies in the bytes it was read from. */
  readonly start: number;
  readonly end: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** -1 when out of range, as for a record without a timestamp. */
  readonly maxTimestampMs: number;
  readonly baseTimestampMs: number;
  readonly hasLogAppendTime: boolean;
  readonly codec: number;
  readonly isControl: boolean;
  readonly recordCount: number;
}

/**
 * Reads the header at `start`, without judging the records after it.
 * @returns the header, or why what lies there is no record batch; nothing behind it can be found then.
 */
export function readBatchHeader(
  view: DataView,
  start: number,
  end: number,
): RecordBatchHeader | DecodeFailure {
  if (end - start < BATCH_HEADER_BYTES) return corrupt(`only ${end - start} bytes of a record batch`);
  const batchEnd = start + LENGTH_FIELD_END + view.getInt32(start + 8);
  if (batchEnd - start < BATCH_HEADER_BYTES || batchEnd > end) {
    return corrupt(`impossible record batch length ${view.getInt32(start + 8)}`);
  }
  const baseOffset = readInt64(view, start);
  const lastOffset = baseOffset + view.getInt32(start + 23);
  if (baseOffset < 0 || lastOffset < baseOffset || !Number.isSafeInteger(lastOffset)) {
    return corrupt(`impossible offsets ${baseOffset} to ${lastOffset}`);
  }
  const attributes = view.getInt16(start + 21);
  return {
    start,
    end: batchEnd,
    baseOffset,
    lastOffset,
    maxTimestampMs: timestampOrNone(readInt64(view, start + 35)),
    baseTimestampMs: readInt64(view, start + 27),
    hasLogAppendTime: (attributes & LOG_APPEND_TIME_FLAG) !== 0,
    codec: attributes & CODEC_MASK,
    isControl: (attributes & CONTROL_FLAG) !== 0,
    recordCount: view.getInt32(start + 57),
  };
}

/** Checks the parts of a batch that its header alone does not: magic and CRC. Null when it is sound. */
export function checkBatch(
  bytes: Uint8Array,
  view: DataView,
  header: RecordBatchHeader,
): DecodeFailure | null {
  const magic = view.getInt8(header.start + 16);
  if (magic !== 2) return corrupt(`unknown record batch magic ${magic}`);
  const expected = view.getUint32(header.start + 17);
  const actual = crc32c(bytes.subarray(header.start + CRC_COVERED_START, header.end));
  if (actual !== expected) return corrupt(`CRC-32C is ${hex(actual)}, the batch says ${hex(expected)}`);
  return null;
}

/** A timestamp that a date can hold, -1 for any other. */
export function timestampOrNone(timestampMs: number): number {
  return timestampMs >= 0 && timestampMs <= MAX_TIMESTAMP_MS ? timestampMs : -1;
}

/** Exact up to 2^53; what lies beyond is refused or ignored by the callers. */
function readInt64(view: DataView, at: number): number {
  return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
