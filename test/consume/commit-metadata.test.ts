import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type CommitMetadata,
  decodeCommitMetadata,
  encodeCommitMetadata,
  openTenure,
  tenuresOf,
} from '../../src/consume/commit-metadata.ts';

const tenure = fc
  .tuple(fc.string(), fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat())
  .map(([directoryId, sequence, from, to]) => ({ directoryId, sequence, from, to }));

const OURS: CommitMetadata = { instance: 'a', directoryId: 'ours', sequence: 9, from: 50, before: [] };

test('our own metadata is read back', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 50 }),
      fc.string({ maxLength: 12 }),
      fc.maxSafeNat(),
      fc.maxSafeNat(),
      fc.array(tenure, { maxLength: 4 }),
      (instance, directoryId, sequence, from, before) => {
        const metadata = { instance, directoryId, sequence, from, before };
        assert.deepEqual(decodeCommitMetadata(encodeCommitMetadata(metadata)), metadata);
      },
    ),
  );
});

test('what others commit is not taken for ours', () => {
  const texts = [
    undefined,
    null,
    '',
    'null',
    '{}',
    '{"log_consumer":1,"instance":"","sequence":1,"tenure":1}',
    '{"instance":"","log_consumer":2,"directory":"x","sequence":1,"from":1,"before":[]}',
    '{"log_consumer":2,"instance":"","directory":"x","sequence":1,"from":1}',
    '{"log_consumer":2,"instance":1,"directory":"x","sequence":1,"from":1,"before":[]}',
    '{"log_consumer":2,"instance":"","directory":"x","sequence":1,"from":1,"before":[]',
  ];
  for (const text of texts) assert.equal(decodeCommitMetadata(text), undefined, String(text));
});

test('it fits into what Kafka keeps; the oldest tenures go first', () => {
  const before = Array.from({ length: 200 }, (_, index) => ({
    directoryId: 'x'.repeat(12),
    sequence: Number.MAX_SAFE_INTEGER,
    from: 1_000_000_000 - index,
    to: Number.MAX_SAFE_INTEGER,
  }));
  const text = encodeCommitMetadata({ ...OURS, instance: 'x'.repeat(255), before });
  assert.ok(Buffer.byteLength(text) < 4096);
  const kept = decodeCommitMetadata(text)?.before ?? [];
  assert.ok(kept.length > 10);
  assert.deepEqual(kept, before.slice(0, kept.length));
});

test('the same owner goes on with its tenure', () => {
  assert.deepEqual(openTenure('ours', 80, 80, OURS), { from: 50, before: [] });
  assert.deepEqual(openTenure('ours', 30, 80, OURS), { from: 30, before: [] }, 'files that were set back');
});

test('a new owner begins a tenure after the ones before', () => {
  const before = openTenure('mine', 80, 80, OURS);
  assert.deepEqual(before, { from: 80, before: [{ directoryId: 'ours', sequence: 9, from: 50, to: 80 }] });
  const mine = { instance: 'b', directoryId: 'mine', sequence: 3, ...before };
  assert.deepEqual(
    tenuresOf(90, mine).map(({ directoryId, from, to }) => `${directoryId} ${from}-${to}`),
    ['mine 80-90', 'ours 50-80'],
  );
  assert.deepEqual(
    openTenure('third', 80, 80, mine).before,
    before.before,
    'one without offsets is left out',
  );
});

test('nothing is known of a partition that nobody, or another program, committed', () => {
  assert.deepEqual(openTenure('mine', 5, undefined, undefined), { from: 5, before: [] });
  assert.deepEqual(openTenure('mine', 5, 3, undefined), { from: 5, before: [] });
});
