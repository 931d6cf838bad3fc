/**
 * What a unit costs apart from the records' own work: CRC, decompression, walking the records, in
 * microseconds per record of 256 bytes, and the throughput of each codec. Run it with
 * `node load-tests/micro/unit-transform.ts`; figures are the best of several rounds.
 */
import { crc32c } from '@node-rs/crc32';
import { decompress } from '../../src/transform/codecs/decompress.ts';
import type { RawRecord } from '../../src/transform/raw-record.ts';
import { readBatchHeader } from '../../src/transform/record-batch.ts';
import { NEXT, RecordReader } from '../../src/transform/record-reader.ts';
import { type UnitRecordTransformer, UnitTransformer } from '../../src/transform/unit.ts';
import { buildRecordBatch, CODEC_NAMES, type CodecName } from '../../test/helpers/record-batch-builder.ts';

const ROUNDS = 25;
const RECORDS_PER_UNIT = 2_000;
const RECORD_BYTES = 256;
const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/** Writes nothing: the record's own work is measured elsewhere. */
const countingTransformer: UnitRecordTransformer = {
  transform: () => 1,
  categories: 0,
  levelRank: 2,
  timestampMs: 0,
  serviceId: 0,
  missingTimestamp: false,
  unknownLevel: false,
  quarantineReason: null,
  serviceName: () => '',
};

function logLine(index: number): string {
  const id = (Math.imul(index, 2_654_435_761) >>> 0).toString(16).padStart(8, '0');
  const line =
    `{"timestamp":"2026-11-23T09:00:${String(index % 60).padStart(2, '0')}.${String(index % 1000).padStart(3, '0')}Z",` +
    `"service":"service-${index % 20}","level":"INFO","message":"request ${index} handled","correlation_id":"${id}",` +
    `"duration_ms":${index % 977},"path":"/api/v1/orders/${(index * 7_919) % 100_003}","pad":"`;
  return `${line.padEnd(RECORD_BYTES - 2, id)}"}`;
}

function buildUnit(codec: CodecName, recordsPerBatch: number): Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let offset = 0; offset < RECORDS_PER_UNIT; offset += recordsPerBatch) {
    const count = Math.min(recordsPerBatch, RECORDS_PER_UNIT - offset);
    const records = Array.from({ length: count }, (_, index) => ({
      value: logLine(offset + index),
      timestamp: 1_795_000_000_000 + offset + index,
    }));
    batches.push(buildRecordBatch({ records, baseOffset: offset, codec, firstTimestamp: 1_795_000_000_000 }));
  }
  return batches;
}

/** Best time of one call, in microseconds. */
function bestOf(call: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAt = performance.now();
    for (let repeat = 0; repeat < 20; repeat += 1) call();
    best = Math.min(best, (performance.now() - startedAt) / 20);
  }
  return best * 1_000;
}

function measure(codec: CodecName, recordsPerBatch: number): Record<string, string | number> {
  const batches = buildUnit(codec, recordsPerBatch);
  const bytes = Buffer.concat(batches);
  const input = new ArrayBuffer(bytes.length);
  new Uint8Array(input).set(bytes);
  const task = { topic: 'logs', partition: 0, firstOffset: 0, input, inputBytes: bytes.length };
  const output = new ArrayBuffer(1024);
  const unit = new UnitTransformer(countingTransformer, MAX_DECOMPRESSED_BYTES);
  const opened = batches.map(openBatch);
  const reader = new RecordReader();
  const record = emptyRecord();
  const whole = bestOf(() => unit.transform({ ...task, output }));
  const crc = bestOf(() => {
    for (const batch of batches) crc32c(batch.subarray(21));
  });
  const decompressing = bestOf(() => {
    for (const { header, compressed } of opened) decompress(header.codec, compressed, MAX_DECOMPRESSED_BYTES);
  });
  const walking = bestOf(() => {
    for (const { header, plain } of opened) {
      reader.open(header, plain, 0, plain.length);
      while (reader.next(record) === NEXT.record);
    }
  });
  const plainBytes = opened.reduce((sum, { plain }) => sum + plain.length, 0);
  return {
    codec,
    'records/batch': recordsPerBatch,
    ratio: (plainBytes / bytes.length).toFixed(1),
    'us/record': (whole / RECORDS_PER_UNIT).toFixed(3),
    crc: (crc / RECORDS_PER_UNIT).toFixed(3),
    decompress: (decompressing / RECORDS_PER_UNIT).toFixed(3),
    walk: (walking / RECORDS_PER_UNIT).toFixed(3),
    'decompress MB/s': Math.round(plainBytes / decompressing),
  };
}

function openBatch(batch: Uint8Array) {
  const header = readBatchHeader(
    new DataView(batch.buffer, batch.byteOffset, batch.byteLength),
    0,
    batch.length,
  );
  if (!('codec' in header)) throw new Error(header.detail);
  const compressed = batch.subarray(61);
  const content = decompress(header.codec, compressed, MAX_DECOMPRESSED_BYTES);
  if (!(content instanceof Uint8Array)) throw new Error(content.detail);
  return { header, compressed, plain: Uint8Array.from(content) };
}

function emptyRecord(): RawRecord {
  const nowhere = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0, headersStart: 0, headersEnd: 0 };
  return { bytes: new Uint8Array(0), offset: 0, timestamp: 0, headerCount: 0, ...nowhere };
}

const rows = CODEC_NAMES.flatMap((codec) => [measure(codec, 60), measure(codec, 1_000)]);
console.table(rows);
