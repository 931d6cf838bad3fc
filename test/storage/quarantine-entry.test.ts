import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseQuarantineEntry } from '../../src/storage/quarantine-entry.ts';
import { appendUndecodedBatch } from '../../src/transform/batch-quarantine.ts';
import { corrupt } from '../../src/transform/decode-failure.ts';
import { LineBuffer } from '../../src/transform/line-buffer.ts';
import { appendQuarantineLine } from '../../src/transform/quarantine-line.ts';
import { rawRecordOf } from '../../src/transform/raw-record-of.ts';

function lineOf(write: (line: LineBuffer) => void): Buffer {
  const buffer = new LineBuffer(new ArrayBuffer(0));
  write(buffer);
  return Buffer.from(buffer.bytes.subarray(0, buffer.length - 1));
}

const NASTY = [
  '","raw":"',
  '","raw_encoding":"base64"',
  '\\',
  '"',
  '\n',
  '\u0000',
  '\u2028',
  '\u0085',
  '😀',
  '\\u0041',
  '{}',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'grapheme', maxLength: 6 })), { maxLength: 8 })
  .map((parts) => Buffer.from(parts.join('')));
const bytes = fc.oneof(
  text,
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
);
const optional = fc.option(bytes, { nil: null });

test('whatever a producer sent comes back byte for byte', () => {
  const header = fc.record({ name: bytes, value: optional }, { noNullPrototype: true });
  const records = fc.record({
    key: optional,
    value: optional,
    headers: fc.array(header, { maxLength: 4 }),
    detail: text.map(String),
    timestamp: fc.oneof(fc.constant(-1), fc.nat({ max: 2_000_000_000 })),
  });
  fc.assert(
    fc.property(records, ({ key, value, headers, detail, timestamp }) => {
      const record = rawRecordOf({ offset: 7, timestamp, headers }, value);
      const keyStart = key === null ? -1 : record.bytes.length;
      if (key !== null) {
        Object.assign(record, {
          bytes: Buffer.concat([record.bytes, key]),
          keyStart,
          keyEnd: keyStart + key.length,
        });
      }
      const line = lineOf((buffer) =>
        appendQuarantineLine(buffer, record, { topic: 'logs', partition: 3 }, 'not_json', detail),
      );
      const entry = parseQuarantineEntry(line);
      assert.ok(entry !== undefined);
      const { reason, topic, partition, offset, lastOffset, records: count, isBatch } = entry;
      assert.deepEqual(
        { reason, topic, partition, offset, lastOffset, count, isBatch },
        {
          reason: 'not_json',
          topic: 'logs',
          partition: 3,
          offset: 7,
          lastOffset: 7,
          count: 1,
          isBatch: false,
        },
      );
      assert.equal(entry.detail, detail);
      assert.equal(entry.timestamp, timestamp);
      assert.deepEqual(entry.key, key);
      assert.deepEqual(entry.headers, headers);
      const raw = entry.raw();
      assert.deepEqual(raw === null ? null : Buffer.from(raw), value);
    }),
    { numRuns: 500 },
  );
});

test('a value that takes several pieces of base64', () => {
  const value = Buffer.alloc(200_001, 0xfe);
  const record = rawRecordOf({ offset: 1, timestamp: 0, headers: [] }, value);
  const line = lineOf((buffer) =>
    appendQuarantineLine(buffer, record, { topic: 'logs', partition: 0 }, 'too_large', ''),
  );
  assert.ok(value.equals(Buffer.from(parseQuarantineEntry(line)?.raw() ?? [])));
});

test('a batch that could not be read comes back with its offsets', () => {
  const raw = Buffer.from([0, 1, 2, 255]);
  const line = lineOf((buffer) =>
    appendUndecodedBatch(
      buffer,
      { topic: 'logs', partition: 0, firstOffset: 5, lastOffset: 9, records: 4, timestampMs: -1, raw },
      corrupt('broken'),
    ),
  );
  const entry = parseQuarantineEntry(line);
  assert.deepEqual(
    [entry?.offset, entry?.lastOffset, entry?.records, entry?.isBatch, entry?.detail],
    [5, 9, 4, true, 'broken'],
  );
  assert.ok(raw.equals(Buffer.from(entry?.raw() ?? [])));
});

test('what is no entry is told', () => {
  for (const line of [
    '',
    '{',
    '[]',
    'null',
    '{"reason":"x"}',
    '{"reason":1,"topic":"a","partition":0,"offset":0}',
  ]) {
    assert.equal(parseQuarantineEntry(Buffer.from(line)), undefined, line);
  }
});
