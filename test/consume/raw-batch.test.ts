import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readRawBatches } from '../../src/consume/raw-batch.ts';
import { buildFetchResponse } from '../helpers/fetch-response-builder.ts';
import { decodeFetch } from '../helpers/kafkajs-internals.ts';
import { buildRecordBatch, type TestBatch } from '../helpers/record-batch-builder.ts';

const SOURCE = { topic: 'logs', partition: 3, highWatermark: 100 };
const RECORDS = [{ value: 'one' }, { value: 'two' }];

async function read(batches: readonly Partial<TestBatch>[], source = SOURCE) {
  const records = Buffer.concat(batches.map((batch) => buildRecordBatch({ records: RECORDS, ...batch })));
  const { messages } = await decodeFetch(buildFetchResponse({ ...source, records }));
  return readRawBatches(source, messages);
}

describe('readRawBatches', () => {
  it('narrows what kafkajs hands out', async () => {
    const batches = await read([
      { baseOffset: 5, codec: 'lz4', firstTimestamp: 1_000, maxTimestamp: 1_234 },
      { baseOffset: 7 },
    ]);
    assert.equal(batches.length, 2);
    const [first] = batches;
    assert.equal(first?.baseOffset, 5);
    assert.equal(first?.lastOffset, 6);
    assert.equal(first?.recordCount, 2);
    assert.equal(first?.maxTimestampMs, 1_234);
    assert.deepEqual(
      first?.bytes,
      buildRecordBatch({
        records: RECORDS,
        baseOffset: 5,
        codec: 'lz4',
        firstTimestamp: 1_000,
        maxTimestamp: 1_234,
      }),
    );
  });

  it('accepts what compaction leaves', async () => {
    const batches = await read([
      { baseOffset: 5, lastOffsetDelta: 9 },
      { baseOffset: 40, records: [], lastOffsetDelta: 4 },
    ]);
    assert.deepEqual(
      batches.map((batch) => [batch.baseOffset, batch.lastOffset, batch.recordCount]),
      [
        [5, 14, 2],
        [40, 44, 0],
      ],
    );
  });

  it('accepts a wrong CRC where the offsets are not in doubt', async () => {
    assert.equal((await read([{ crc: 1 }])).length, 1);
  });

  const impossible: readonly (readonly [string, Partial<TestBatch>])[] = [
    ['a negative base offset', { baseOffset: -1, lastOffsetDelta: 30 }],
    ['a base offset beyond 2^53', { baseOffset: 2 ** 60 }],
    ['a base offset below the batch before', { baseOffset: 1 }],
    ['a last offset below its first', { baseOffset: 10, lastOffsetDelta: -1 }],
    ['a last offset that nothing confirms', { baseOffset: 10, lastOffsetDelta: 60, crc: 1 }],
  ];
  for (const [what, batch] of impossible) {
    it(`hands out the batches before one with ${what}`, async () => {
      const batches = await read([{ baseOffset: 0 }, batch, { baseOffset: 20 }]);
      assert.deepEqual(
        batches.map(({ baseOffset }) => baseOffset),
        [0],
      );
    });
  }

  it('takes a batch behind the high watermark, which the broker reads before the records', async () => {
    assert.equal((await read([{ baseOffset: 99 }])).length, 1);
  });

  it('refuses to go on when the first batch has impossible offsets', async () => {
    await assert.rejects(read([{ baseOffset: 99, lastOffsetDelta: -1 }]), {
      name: 'ServiceError',
      code: 'KAFKA_FAILED',
      message: /offset 99 of logs\/3 is damaged/,
    });
  });

  it('says what to do when kafkajs is not patched', () => {
    const decoded = { offset: '5', key: null, value: Buffer.from('x'), batchContext: {} };
    assert.throws(() => readRawBatches(SOURCE, [decoded]), {
      code: 'KAFKA_FAILED',
      message: /npx patch-package/,
    });
  });
});
