import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeCommitMetadata, encodeCommitMetadata } from '../../src/consume/commit-metadata.ts';

test('our own metadata is read back', () => {
  fc.assert(
    fc.property(fc.string(), fc.maxSafeNat(), fc.maxSafeNat(), (instance, sequence, tenure) => {
      const metadata = { instance, sequence, tenure };
      assert.deepEqual(decodeCommitMetadata(encodeCommitMetadata(metadata)), metadata);
    }),
  );
});

test('what others commit is not taken for ours', () => {
  const texts = [
    undefined,
    null,
    '',
    'null',
    '{}',
    '{"log_consumer":2,"instance":"","sequence":1,"tenure":1}',
    '{"instance":"","log_consumer":1,"sequence":1,"tenure":1}',
    '{"log_consumer":1,"instance":"","sequence":1}',
    '{"log_consumer":1,"instance":1,"sequence":1,"tenure":1}',
    '{"log_consumer":1,"instance":"","sequence":1,"tenure":1',
  ];
  for (const text of texts) assert.equal(decodeCommitMetadata(text), undefined, String(text));
});

test('it fits into what Kafka keeps', () => {
  const metadata = {
    instance: 'x'.repeat(255),
    sequence: Number.MAX_SAFE_INTEGER,
    tenure: Number.MAX_SAFE_INTEGER,
  };
  assert.ok(encodeCommitMetadata(metadata).length < 4096);
});
