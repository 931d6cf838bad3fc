import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { TransformResult } from '../../src/core/messages.ts';
import { UnitTransformer } from '../../src/transform/unit.ts';
import { LineTransformer } from '../helpers/line-transformer.ts';
import {
  buildControlBatch,
  buildRecordBatch,
  CODEC_NAMES,
  sealRecordBatch,
  type TestBatch,
} from '../helpers/record-batch-builder.ts';

const LIMIT = 1024 * 1024;
const T0 = Date.UTC(2026, 10, 23, 9);

const unit = new UnitTransformer(new LineTransformer(), LIMIT);

function transform(batches: readonly Uint8Array[], firstOffset = 0, outputBytes = 16): TransformResult {
  const bytes = Buffer.concat(batches);
  const input = new ArrayBuffer(bytes.length + 100);
  new Uint8Array(input).set(bytes);
  const output = new ArrayBuffer(outputBytes);
  return unit.transform({
    topic: 'logs',
    partition: 4,
    firstOffset,
    input,
    inputBytes: bytes.length,
    output,
  });
}

function linesOf(result: TransformResult, file: string): string[] {
  const region = result.regions.find((each) => each.file === file);
  if (region === undefined) return [];
  const text = Buffer.from(result.output, region.start, region.end - region.start).toString();
  const lines = text.split('\n');
  assert.equal(lines.pop(), '', 'the last line ends');
  assert.equal(lines.length, region.records);
  return lines;
}

function quarantineOf(result: TransformResult): Record<string, unknown>[] {
  return linesOf(result, 'quarantine').map((line) => JSON.parse(line));
}

function batchOf(values: readonly string[], rest: Partial<TestBatch> = {}): Buffer {
  return buildRecordBatch({ records: values.map((value) => ({ value })), firstTimestamp: T0, ...rest });
}

describe('a unit', () => {
  for (const codec of CODEC_NAMES) {
    it(`of batches compressed by ${codec} becomes lines`, () => {
      const result = transform([
        batchOf(['a', 'b'], { codec, baseOffset: 7 }),
        batchOf(['c'], { codec, baseOffset: 9 }),
      ]);
      assert.deepEqual(linesOf(result, 'service_logs'), ['7 a', '8 b', '9 c']);
      assert.equal(result.counts.consumed, 3);
      assert.equal(result.counts.written, 3);
    });
  }

  it('repeats the lines of each category behind all of them', () => {
    const result = transform([batchOf(['1a', '1b', 'c', '3d', '4e', '7f'])]);
    assert.deepEqual(linesOf(result, 'service_logs'), ['0 1a', '1 1b', '2 c', '3 3d', '4 4e', '5 7f']);
    assert.deepEqual(linesOf(result, 'error_logs'), ['0 1a', '1 1b', '3 3d', '5 7f']);
    assert.deepEqual(linesOf(result, 'performance_logs'), ['3 3d', '5 7f']);
    assert.deepEqual(linesOf(result, 'audit_logs'), ['4 4e', '5 7f']);
    let position = 0;
    for (const { start, end } of result.regions) {
      assert.equal(start, position);
      position = end;
    }
  });

  it('accounts for every record', () => {
    const result = transform([batchOf(['a', '-b', '?c', '-d', 'no-timestamp', 'no-level'])]);
    assert.deepEqual(linesOf(result, 'quarantine'), ['2 ?c']);
    assert.deepEqual(result.counts, {
      consumed: 6,
      written: 3,
      filtered: 2,
      quarantined: 1,
      missingTimestamps: 1,
      unknownLevels: 1,
      quarantineReasons: { not_json: 1 },
    });
  });

  it('tells the facts of its lines', () => {
    const result = transform([
      buildRecordBatch({
        firstTimestamp: T0,
        records: [
          { key: 'web', value: 'a', timestamp: T0 + 50 },
          { key: '__proto__', value: 'error', timestamp: T0 - 7 },
          { key: 'web', value: 'b', timestamp: T0 + 99 },
          { key: 'db', value: '-c', timestamp: T0 + 5_000 },
        ],
      }),
    ]);
    assert.equal(result.facts.minTimestamp, T0 - 7);
    assert.equal(result.facts.maxTimestamp, T0 + 99);
    assert.deepEqual(result.facts.levels, [0, 0, 2, 0, 1, 0]);
    assert.deepEqual(Object.entries(structuredClone(result.facts.services)), [
      ['web', 2],
      ['__proto__', 1],
    ]);
  });

  it('starts from nothing each time', () => {
    transform([batchOf(['1a', '?b', '-c', 'no-level'])]);
    const result = transform([batchOf(['-x'])]);
    assert.deepEqual(result.regions, []);
    assert.deepEqual(result.facts, {
      minTimestamp: null,
      maxTimestamp: null,
      levels: [0, 0, 0, 0, 0, 0],
      services: Object.create(null),
    });
    assert.equal(result.counts.consumed, 1);
  });

  it('gives back its memory, or larger memory where that was too small', () => {
    const input = new ArrayBuffer(200);
    const batch = batchOf(['a']);
    new Uint8Array(input).set(batch);
    const output = new ArrayBuffer(4_096);
    const task = { topic: 'logs', partition: 0, firstOffset: 0, input, inputBytes: batch.length, output };
    const result = unit.transform(task);
    assert.equal(result.input, input);
    assert.equal(result.output, output);
    const grown = transform([batchOf(['1'.repeat(5_000)])]);
    assert(grown.output.byteLength >= 10_000);
    assert.equal(linesOf(grown, 'error_logs')[0]?.length, 5_002);
  });

  it('skips the records below its first offset without counting them', () => {
    const result = transform([batchOf(['a', '?b', 'c', 'd'], { baseOffset: 10 })], 12);
    assert.deepEqual(linesOf(result, 'service_logs'), ['12 c', '13 d']);
    assert.equal(result.counts.consumed, 2);
    assert.equal(result.counts.quarantined, 0);
  });

  it('takes what compaction left', () => {
    const sparse = [
      { value: 'a', offsetDelta: 2 },
      { value: 'b', offsetDelta: 5 },
    ];
    const result = transform([
      buildRecordBatch({ records: sparse, lastOffsetDelta: 9 }),
      buildRecordBatch({
        records: [],
        baseOffset: 10,
        lastOffsetDelta: 9,
        codec: 'lz4',
        body: Buffer.alloc(0),
      }),
      batchOf(['c'], { baseOffset: 20 }),
    ]);
    assert.deepEqual(linesOf(result, 'service_logs'), ['2 a', '5 b', '20 c']);
    assert.equal(result.counts.consumed, 3);
  });

  it('passes over transaction markers', () => {
    const result = transform([batchOf(['a'], { transactional: true }), buildControlBatch('commit', 5, 1)]);
    assert.deepEqual(linesOf(result, 'service_logs'), ['0 a']);
    assert.equal(result.counts.consumed, 1);
  });

  it('is empty when it has no batches', () => {
    const result = transform([]);
    assert.deepEqual(result.regions, []);
    assert.equal(result.counts.consumed, 0);
  });
});

describe('the Kafka timestamps of a unit', () => {
  const timestampsOf = (timestamps: readonly number[]) => {
    const records = timestamps.map((timestamp) => ({ value: 'x', timestamp }));
    const { kafkaTimestamps } = transform([
      buildRecordBatch({ records, firstTimestamp: 0, maxTimestamp: 0 }),
    ]);
    return Array.from({ length: kafkaTimestamps.length / 2 }, (_, index) => ({
      timestamp: kafkaTimestamps[2 * index] ?? Number.NaN,
      records: kafkaTimestamps[2 * index + 1] ?? Number.NaN,
    }));
  };

  it('are rounded down to 8 ms and merged', () => {
    assert.deepEqual(timestampsOf([16, 23, 24, 8, 17, 31]), [
      { timestamp: 8, records: 1 },
      { timestamp: 16, records: 3 },
      { timestamp: 24, records: 2 },
    ]);
  });

  it('leave out records without one', () => {
    assert.deepEqual(timestampsOf([-1, 8, -1]), [{ timestamp: 8, records: 1 }]);
  });

  it('are at most 64, however far they spread', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 8e12 }), { minLength: 257, maxLength: 2_000 }),
        (timestamps) => {
          const counts = timestampsOf(timestamps);
          assert(counts.length <= 64);
          assert.equal(
            counts.reduce((sum, { records }) => sum + records, 0),
            timestamps.length,
          );
          const below = counts.filter(({ timestamp }) => timestamp > Math.max(...timestamps));
          assert.deepEqual(below, []);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a batch that cannot be decoded', () => {
  it('becomes one line of quarantine, and the batches around it become lines', () => {
    const broken = batchOf(['b', 'c', 'd'], { baseOffset: 1, crc: 1 });
    const result = transform([batchOf(['a']), broken, batchOf(['e'], { baseOffset: 4 })]);
    assert.deepEqual(linesOf(result, 'service_logs'), ['0 a', '4 e']);
    const [line] = quarantineOf(result);
    assert.match(String(line?.['detail']), /CRC-32C/);
    assert.deepEqual(line, {
      reason: 'corrupt_batch',
      detail: line?.['detail'],
      topic: 'logs',
      partition: 4,
      offset: 1,
      last_offset: 3,
      records: 3,
      key: null,
      headers: [],
      timestamp: null,
      raw: broken.toString('base64'),
      raw_encoding: 'base64',
    });
    assert.equal(result.counts.consumed, 5);
    assert.deepEqual(result.counts.quarantineReasons, { corrupt_batch: 3 });
  });

  it('keeps its good records and quarantines the rest', () => {
    const whole = batchOf(['a', 'b', 'c', 'd', 'e'], { baseOffset: 10 });
    const lengthOfThird = 61 + 2 * 8;
    assert.equal(whole[lengthOfThird], 14, 'a record of 7 bytes');
    whole[lengthOfThird] = 15;
    const result = transform([sealRecordBatch(whole)]);
    assert.deepEqual(linesOf(result, 'service_logs'), ['10 a', '11 b']);
    const [line] = quarantineOf(result);
    assert.equal(line?.['offset'], 12);
    assert.equal(line?.['last_offset'], 14);
    assert.equal(line?.['records'], 3);
    assert.equal(line?.['timestamp'], new Date(T0).toISOString());
    assert.equal(line?.['raw'], whole.toString('base64'));
    assert.equal(result.counts.consumed, 5);
  });

  it('is counted by its header where that can be trusted', () => {
    const sparse = [
      { value: 'a', offsetDelta: 2 },
      { value: 'b', offsetDelta: 500 },
    ];
    const result = transform([buildRecordBatch({ records: sparse, codecBits: 6 })]);
    assert.equal(quarantineOf(result)[0]?.['reason'], 'unsupported_codec');
    assert.equal(quarantineOf(result)[0]?.['last_offset'], 500);
    assert.equal(result.counts.quarantined, 2);
  });

  it('is covered from the first offset of the unit', () => {
    const result = transform([batchOf(['a', 'b', 'c', 'd'], { baseOffset: 10, crc: 1 })], 12);
    assert.equal(quarantineOf(result)[0]?.['offset'], 12);
    assert.equal(result.counts.quarantined, 2);
  });

  it('is not decompressed beyond the limit', () => {
    const bomb = buildRecordBatch({ records: [{ value: Buffer.alloc(LIMIT * 8) }], codec: 'gzip' });
    const result = transform([bomb, batchOf(['a'], { baseOffset: 1 })]);
    assert.equal(quarantineOf(result)[0]?.['reason'], 'decompression_limit');
    assert.deepEqual(linesOf(result, 'service_logs'), ['1 a']);
  });

  it('takes the rest of the unit with it when its end cannot be found', () => {
    const cut = batchOf(['b', 'c'], { baseOffset: 1 }).subarray(0, 65);
    const result = transform([batchOf(['a']), cut]);
    assert.deepEqual(linesOf(result, 'service_logs'), ['0 a']);
    const [line] = quarantineOf(result);
    assert.equal(line?.['offset'], 1);
    assert.equal(line?.['raw'], cut.toString('base64'));
    assert.equal(result.counts.consumed, 2);
  });

  it('gives the same result when it is read again', () => {
    const batches = [
      batchOf(['1a', '?b', 'c'], { codec: 'zstd' }),
      batchOf(['d'], { baseOffset: 3, crc: 5 }),
    ];
    const [first, second] = [transform(batches), transform(batches)];
    assert.deepEqual(
      { ...first, output: Buffer.from(first.output) },
      { ...second, output: Buffer.from(second.output) },
    );
  });

  it('never throws or hangs, and accounts for every record, whatever was changed in a unit', () => {
    const values = Array.from({ length: 6 }, (_, index) => `${index}-value`);
    const originals = CODEC_NAMES.map((codec, index) => batchOf(values, { codec, baseOffset: index * 6 }));
    const bytes = Buffer.concat(originals);
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
    fc.assert(
      fc.property(
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.nat(bytes.length),
        fc.boolean(),
        (changes, length, isCut) => {
          const damaged = Buffer.from(bytes);
          for (const [at, byte] of changes) damaged[at] = byte;
          const { counts, regions } = transform([isCut ? damaged.subarray(0, length) : damaged]);
          assert.equal(counts.consumed, counts.written + counts.filtered + counts.quarantined);
          assert.equal(regions.find(({ file }) => file === 'service_logs')?.records ?? 0, counts.written);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
