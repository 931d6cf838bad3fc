/**
 * Writes Kafka record batches, magic 2, byte by byte and independently of the code under test,
 * sound ones and, by overriding fields, broken ones. Source: KIP-98.
 */
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { compressSync as snappyCompressSync } from 'snappy';
import { buildLz4Frame } from './lz4-frame-builder.ts';

export type CodecName = 'none' | 'gzip' | 'snappy' | 'snappy-raw' | 'lz4' | 'zstd';

export const CODEC_NAMES: readonly CodecName[] = ['none', 'gzip', 'snappy', 'snappy-raw', 'lz4', 'zstd'];

const CODEC_BITS: Readonly<Record<CodecName, number>> = {
  none: 0,
  gzip: 1,
  snappy: 2,
  'snappy-raw': 2,
  lz4: 3,
  zstd: 4,
};

export interface TestRecord {
  readonly value: Uint8Array | string | null;
  readonly key?: Uint8Array | string | null;
  readonly headers?: readonly (readonly [string, Uint8Array | string | null])[];
  /** Milliseconds since the epoch; `firstTimestamp` when left out. */
  readonly timestamp?: number;
  /** Relative to the base offset; the record's index when left out. */
  readonly offsetDelta?: number;
}

export interface TestBatch {
  readonly records: readonly TestRecord[];
  readonly baseOffset?: number;
  readonly codec?: CodecName;
  readonly firstTimestamp?: number;
  readonly maxTimestamp?: number;
  readonly logAppendTime?: boolean;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly producerId?: number;
  /** Kept by compaction beyond the last record that is left. */
  readonly lastOffsetDelta?: number;
  /** For broken batches: what the header says instead of the truth. */
  readonly recordCount?: number;
  readonly magic?: number;
  readonly crc?: number;
  readonly codecBits?: number;
  readonly length?: number;
  /** For broken batches: the bytes after the header. */
  readonly body?: Uint8Array;
}

const FIRST_TIMESTAMP = Date.UTC(2026, 10, 23, 9);

/** A whole batch, from the base offset to the end. */
export function buildRecordBatch(batch: TestBatch): Buffer {
  const codec = batch.codec ?? 'none';
  const body = batch.body ?? compress(codec, encodeRecords(batch));
  const bytes = Buffer.alloc(61 + body.length);
  const firstTimestamp = batch.firstTimestamp ?? FIRST_TIMESTAMP;
  const lastRecord = batch.records.at(-1);
  const lastDelta = lastRecord?.offsetDelta ?? Math.max(0, batch.records.length - 1);
  const flags = (batch.logAppendTime ? 8 : 0) | (batch.transactional ? 16 : 0) | (batch.control ? 32 : 0);
  bytes.writeBigInt64BE(BigInt(batch.baseOffset ?? 0), 0);
  bytes.writeInt32BE(batch.length ?? bytes.length - 12, 8);
  bytes.writeInt8(batch.magic ?? 2, 16);
  bytes.writeInt16BE((batch.codecBits ?? CODEC_BITS[codec]) | flags, 21);
  bytes.writeInt32BE(batch.lastOffsetDelta ?? lastDelta, 23);
  bytes.writeBigInt64BE(BigInt(firstTimestamp), 27);
  const timestamps = batch.records.map((record) => record.timestamp ?? firstTimestamp);
  const maxTimestamp = timestamps.reduce((max, timestamp) => Math.max(max, timestamp), firstTimestamp);
  bytes.writeBigInt64BE(BigInt(batch.maxTimestamp ?? maxTimestamp), 35);
  bytes.writeBigInt64BE(BigInt(batch.producerId ?? -1), 43);
  bytes.writeInt16BE(batch.producerId === undefined ? -1 : 0, 51);
  bytes.writeInt32BE(batch.producerId === undefined ? -1 : 0, 53);
  bytes.writeInt32BE(batch.recordCount ?? batch.records.length, 57);
  bytes.set(body, 61);
  return batch.crc === undefined ? sealRecordBatch(bytes) : writeCrc(bytes, batch.crc);
}

/** Writes the CRC that fits the bytes, for batches that were changed by hand. */
export function sealRecordBatch(bytes: Buffer): Buffer {
  return writeCrc(bytes, crc32c(bytes.subarray(21)));
}

/** The control batch that ends a transaction. */
export function buildControlBatch(kind: 'commit' | 'abort', producerId: number, baseOffset: number): Buffer {
  const key = Buffer.of(0, 0, 0, kind === 'commit' ? 1 : 0);
  const records = [{ key, value: Buffer.alloc(6) }];
  return buildRecordBatch({ records, baseOffset, producerId, control: true, transactional: true });
}

/** The records of a batch before compression. */
export function encodeRecords(batch: TestBatch): Buffer {
  const firstTimestamp = batch.firstTimestamp ?? FIRST_TIMESTAMP;
  return Buffer.concat(
    batch.records.map((record, index) => {
      const fields = Buffer.concat([
        Buffer.of(0),
        varint((record.timestamp ?? firstTimestamp) - firstTimestamp),
        varint(record.offsetDelta ?? index),
        lengthAndBytes(record.key ?? null),
        lengthAndBytes(record.value),
        varint(record.headers?.length ?? 0),
        ...(record.headers ?? []).flatMap(([name, value]) => [lengthAndBytes(name), lengthAndBytes(value)]),
      ]);
      return Buffer.concat([varint(fields.length), fields]);
    }),
  );
}

/** A zigzag-encoded varint or varlong. */
export function varint(value: number): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}

/** The records compressed as the clients do it. */
export function compress(codec: CodecName, records: Uint8Array): Uint8Array {
  switch (codec) {
    case 'none':
      return records;
    case 'gzip':
      return gzipSync(records);
    case 'snappy':
      return xerial(records);
    case 'snappy-raw':
      return snappyCompressSync(Buffer.from(records));
    case 'lz4':
      return buildLz4Frame(records);
    case 'zstd':
      return zstdCompressSync(records);
  }
}

const XERIAL_BLOCK_BYTES = 32 * 1024;

/** The framing of snappy-java's SnappyOutputStream. */
function xerial(records: Uint8Array): Buffer {
  const parts: Uint8Array[] = [
    Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]),
  ];
  for (let start = 0; start < records.length; start += XERIAL_BLOCK_BYTES) {
    const block = snappyCompressSync(Buffer.from(records.subarray(start, start + XERIAL_BLOCK_BYTES)));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

function lengthAndBytes(value: Uint8Array | string | null): Buffer {
  if (value === null) return varint(-1);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length), bytes]);
}

function writeCrc(bytes: Buffer, crc: number): Buffer {
  bytes.writeUInt32BE(crc >>> 0, 17);
  return bytes;
}
