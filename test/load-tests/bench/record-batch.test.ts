import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32c } from '@node-rs/crc32';
import { decompressFrameSync } from 'lz4-napi';
import { RecordBatchBuilder } from '../../../load-tests/bench/record-batch.ts';

describe('RecordBatchBuilder', () => {
  it('fills a batch to its capacity, with header and CRC as Kafka checks them', () => {
    const builder = new RecordBatchBuilder(4096);
    let added = 0;
    while (builder.add(Buffer.from(`{"number":${added}}`), 1_700_000_000_000 + added)) added += 1;
    const { bytes, uncompressedBytes } = builder.finish();
    assert.ok(uncompressedBytes <= 4096 && uncompressedBytes > 4000);
    assert.equal(bytes.readInt32BE(8), bytes.length - 12);
    assert.equal(bytes.readInt8(16), 2);
    assert.equal(bytes.readUInt32BE(17), crc32c(bytes.subarray(21)));
    assert.equal(bytes.readInt32BE(23), added - 1);
    assert.equal(bytes.readBigInt64BE(35), 1_700_000_000_000n + BigInt(added - 1));
    assert.equal(bytes.readInt32BE(57), added);
    const records = decompressFrameSync(bytes.subarray(61));
    assert.equal(records.length, uncompressedBytes);
    // Length 18, attributes 0, deltas 0 and 0, no key, value of 12 bytes, all as zigzag varints.
    assert.deepEqual([...records.subarray(0, 6)], [36, 0, 0, 0, 1, 24]);
    assert.equal(records.subarray(6, 18).toString(), '{"number":0}');
  });

  it('begins the next batch empty', () => {
    const builder = new RecordBatchBuilder(1024);
    builder.add(Buffer.from('a'), 5);
    builder.finish();
    builder.add(Buffer.from('b'), 7);
    const { bytes } = builder.finish();
    assert.equal(bytes.readInt32BE(57), 1);
    assert.equal(bytes.readBigInt64BE(27), 7n);
  });
});
