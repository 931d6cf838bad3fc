import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DecodeFailure } from '../../src/transform/decode-failure.ts';
import type { RawRecord } from '../../src/transform/raw-record.ts';
import { BATCH_HEADER_BYTES, checkBatch, readBatchHeader } from '../../src/transform/record-batch.ts';
import { NEXT, RecordReader } from '../../src/transform/record-reader.ts';
import {
  buildRecordBatch,
  sealRecordBatch,
  type TestBatch,
  varint,
} from '../helpers/record-batch-builder.ts';

interface ReadRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: number;
  readonly headerBytes: number;
}

function emptyRecord(): RawRecord {
  const nowhere = { keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0, headersStart: 0, headersEnd: 0 };
  return { bytes: new Uint8Array(0), offset: 0, timestamp: 0, headerCount: 0, ...nowhere };
}

/** Reads an uncompressed batch as the unit does. */
function readBatch(batch: Buffer): { records: ReadRecord[]; failure: DecodeFailure | null } {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const header = readBatchHeader(view, 0, batch.length);
  if (header instanceof DecodeFailure) return { records: [], failure: header };
  const damage = checkBatch(batch, view, header);
  if (damage !== null) return { records: [], failure: damage };
  const reader = new RecordReader();
  reader.open(header, batch, BATCH_HEADER_BYTES, header.end);
  const records: ReadRecord[] = [];
  const record = emptyRecord();
  let next = reader.next(record);
  for (; next === NEXT.record; next = reader.next(record)) records.push(snapshot(record));
  return { records, failure: next === NEXT.corrupt ? reader.failure() : null };
}

function snapshot(record: RawRecord): ReadRecord {
  const { offset, timestamp, headerCount: headers } = record;
  const textAt = (start: number, end: number) =>
    start < 0 ? null : Buffer.from(record.bytes.subarray(start, end)).toString();
  const key = textAt(record.keyStart, record.keyEnd);
  const value = textAt(record.valueStart, record.valueEnd);
  return { offset, timestamp, key, value, headers, headerBytes: record.headersEnd - record.headersStart };
}

function build(batch: Partial<TestBatch>): Buffer {
  return buildRecordBatch({ records: [{ value: 'a' }, { value: 'b' }, { value: 'c' }], ...batch });
}

describe('record batches', () => {
  it('are read field by field', () => {
    const { records, failure } = readBatch(
      build({
        baseOffset: 5_000_000_000,
        firstTimestamp: 1_700_000_000_000,
        records: [
          { key: 'k', value: 'v', headers: [['h', 'x']], timestamp: 1_700_000_000_000 },
          { key: null, value: null, timestamp: 1_699_999_999_000 },
          { key: '', value: '', headers: [['', null]], timestamp: 1_900_000_000_123 },
        ],
      }),
    );
    assert.equal(failure, null);
    assert.deepEqual(records, [
      {
        offset: 5_000_000_000,
        timestamp: 1_700_000_000_000,
        key: 'k',
        value: 'v',
        headers: 1,
        headerBytes: 4,
      },
      {
        offset: 5_000_000_001,
        timestamp: 1_699_999_999_000,
        key: null,
        value: null,
        headers: 0,
        headerBytes: 0,
      },
      { offset: 5_000_000_002, timestamp: 1_900_000_000_123, key: '', value: '', headers: 1, headerBytes: 2 },
    ]);
  });

  it('give every record the append time when the broker set it', () => {
    const { records } = readBatch(build({ logAppendTime: true, firstTimestamp: 1_000, maxTimestamp: 9_000 }));
    assert.deepEqual(
      records.map(({ timestamp }) => timestamp),
      [9_000, 9_000, 9_000],
    );
  });

  it('give no timestamp that no date can hold', () => {
    const timestamps = [-1, -2_000, 8.64e15, 8.64e15 + 1, 2 ** 62];
    const records = timestamps.map((timestamp) => ({ value: 'x', timestamp }));
    assert.deepEqual(
      readBatch(build({ firstTimestamp: 0, maxTimestamp: 0, records })).records.map(
        ({ timestamp }) => timestamp,
      ),
      [-1, -1, 8.64e15, -1, -1],
    );
  });

  it('keep the offsets that compaction left', () => {
    const records = [
      { value: 'a', offsetDelta: 3 },
      { value: 'b', offsetDelta: 300_000 },
    ];
    const { records: read, failure } = readBatch(
      build({ records, baseOffset: 10, lastOffsetDelta: 400_000 }),
    );
    assert.equal(failure, null);
    assert.deepEqual(
      read.map(({ offset }) => offset),
      [13, 300_010],
    );
  });

  it('are read back whatever the records are', () => {
    const text = fc.option(fc.string({ maxLength: 300 }), { nil: null });
    const record = fc.record({
      key: text,
      value: text,
      timestamp: fc.integer({ min: 0, max: 4e12 }),
      headers: fc.array(fc.tuple(fc.string({ maxLength: 9 }), text), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 80 }), fc.nat(2 ** 40), (records, baseOffset) => {
        const { records: read, failure } = readBatch(build({ records, baseOffset }));
        assert.equal(failure, null);
        assert.deepEqual(
          read.map(({ key, value, timestamp, headers }) => ({ key, value, timestamp, headers })),
          records.map((each) => ({ ...each, headers: each.headers.length })),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('with 10,000 headers cost no more than their bytes', () => {
    const headers = Array.from({ length: 10_000 }, (_, index) => [`header-${index}`, 'x'] as const);
    const batch = build({ records: Array.from({ length: 20 }, () => ({ value: 'x', headers })) });
    const startedAt = performance.now();
    const { records } = readBatch(batch);
    assert.equal(records[19]?.headers, 10_000);
    assert(performance.now() - startedAt < 100);
  });
});

describe('malformed record batches', () => {
  const body = (...fields: readonly Buffer[]) => {
    const record = Buffer.concat(fields);
    return Buffer.concat([varint(record.length), record]);
  };
  const attributes = Buffer.of(0);
  const good = body(attributes, varint(0), varint(0), varint(-1), varint(1), Buffer.from('a'), varint(0));
  const one = { records: [], recordCount: 1, lastOffsetDelta: 0 };
  const two = { records: [], recordCount: 2, lastOffsetDelta: 1 };
  const endless = Buffer.alloc(12, 0xff);

  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['a wrong CRC', build({ crc: 7 }), /CRC-32C is .* the batch says 00000007/],
    ['another magic', build({ magic: 1 }), /magic 1/],
    ['a length beyond its end', build({ length: 100_000 }), /length 100000/],
    ['a length below its header', build({ length: 48 }), /length 48/],
    ['fewer bytes than a header', build({}).subarray(0, 60), /only 60 bytes/],
    ['a negative base offset', build({ baseOffset: -1 }), /impossible offsets/],
    ['a base offset beyond 2^53', build({ baseOffset: 2 ** 60 }), /impossible offsets/],
    ['a negative last offset', build({ lastOffsetDelta: -1 }), /impossible offsets/],
    ['a negative count', build({ recordCount: -1 }), /number of records -1/],
    ['more records than offsets', build({ recordCount: 4 }), /number of records 4/],
    ['more records than bytes', build({ recordCount: 9, lastOffsetDelta: 8 }), /does not end, after 3 of 9/],
    ['fewer records than bytes', build({ recordCount: 2 }), /bytes behind the last record/],
    ['a record length of 0', build({ ...one, body: varint(0) }), /record length 0/],
    ['a negative record length', build({ ...one, body: varint(-5) }), /record length -5/],
    [
      'a record longer than its batch',
      build({ ...one, body: good.subarray(0, good.length - 1) }),
      /record length/,
    ],
    ['a record length that does not end', build({ ...one, body: endless }), /does not end/],
    ['an empty record', build({ ...one, body: body(attributes) }), /does not end/],
    ['a timestamp that does not end', build({ ...one, body: body(attributes, endless) }), /does not end/],
    [
      'an offset behind its batch',
      build({ ...one, body: body(attributes, varint(0), varint(1), varint(-1), varint(-1), varint(0)) }),
      /record offset 1/,
    ],
    [
      'an offset before its batch',
      build({ ...one, body: body(attributes, varint(0), varint(-1), varint(-1), varint(-1), varint(0)) }),
      /record offset -1/,
    ],
    [
      'the same offset twice',
      build({ ...two, body: Buffer.concat([good, good]) }),
      /record offset 0, after 1 of 2/,
    ],
    [
      'a key longer than its record',
      build({ ...one, body: body(attributes, varint(0), varint(0), varint(9), varint(-1), varint(0)) }),
      /field length 9/,
    ],
    [
      'a value of length -2',
      build({ ...one, body: body(attributes, varint(0), varint(0), varint(-1), varint(-2), varint(0)) }),
      /field length -2/,
    ],
    [
      'more headers than bytes',
      build({ ...one, body: body(attributes, varint(0), varint(0), varint(-1), varint(-1), varint(1)) }),
      /number of headers 1/,
    ],
    [
      'a negative number of headers',
      build({ ...one, body: body(attributes, varint(0), varint(0), varint(-1), varint(-1), varint(-1)) }),
      /number of headers -1/,
    ],
  ];
  for (const [what, batch, detail] of cases) {
    it(`are recognised by ${what}`, () => {
      const { failure } = readBatch(batch);
      assert.equal(failure?.reason, 'corrupt_batch');
      assert.match(failure?.detail ?? '', detail);
    });
  }

  it('never throw, hang or give bytes outside the batch, whatever was changed in them', () => {
    const headers = [['trace', 'abc'] as const];
    const original = build({
      records: Array.from({ length: 12 }, (_, i) => ({ key: `k${i}`, value: 'v', headers })),
    });
    const change = fc.tuple(fc.integer({ min: 21, max: original.length - 1 }), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = Buffer.from(original);
        for (const [at, byte] of changes) damaged[at] = byte;
        // With a CRC that fits, so that the damage is the record reader's to find.
        const { records } = readBatch(sealRecordBatch(damaged));
        assert(
          records.every(({ offset }, index) => offset >= 0 && offset > (records[index - 1]?.offset ?? -1)),
        );
      }),
      { numRuns: 5_000 },
    );
  });
});
