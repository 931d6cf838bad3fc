import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { extendChecksum, formatChecksum, parseChecksum } from '../../src/storage/checksum.ts';

test('it is CRC-32C', () => {
  // RFC 3720, appendix B.4, and the check value of the algorithm.
  assert.equal(extendChecksum(0, new Uint8Array(32)), 0x8a9136aa);
  assert.equal(formatChecksum(extendChecksum(0, Buffer.from('123456789'))), 'crc32c:e3069283');
});

test('it can be continued anywhere, and its text form taken back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 300 }), (bytes, cut) => {
      const whole = extendChecksum(0, bytes);
      assert.equal(extendChecksum(extendChecksum(0, bytes.subarray(0, cut)), bytes.subarray(cut)), whole);
      assert.equal(parseChecksum(formatChecksum(whole)), whole);
    }),
  );
});

test('other texts are not checksums', () => {
  for (const text of ['', 'crc32c:', 'crc32c:E3069283', 'e3069283', 'crc32c:e30692831']) {
    assert.equal(parseChecksum(text), undefined);
  }
});
