import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type MemorySettings, memoryBound } from '../../src/core/memory-bound.ts';

const MIB = 1024 ** 2;

const DEFAULTS: MemorySettings = {
  brokers: 1,
  maxBytes: 16 * MIB,
  workers: 2,
  tasksInFlight: 8,
  taskBytes: 128 * 1024,
  queueBytes: 16 * MIB,
  maxDecompressedBytes: 64 * MIB,
  sealBytes: 256 * MIB,
};

test('the sum is above what was measured, and the defaults fit into 768 MiB', () => {
  const { bytes } = memoryBound(DEFAULTS);
  const HIGHEST_MEASURED = 613 * MIB;
  assert.ok(bytes > HIGHEST_MEASURED && bytes <= 768 * MIB, String(bytes / MIB));
});

test('every setting counts', () => {
  const { bytes, hostileBytes } = memoryBound(DEFAULTS);
  for (const [setting, value] of Object.entries(DEFAULTS)) {
    const doubled = memoryBound({ ...DEFAULTS, [setting]: value * 2 });
    if (setting === 'maxDecompressedBytes') assert.equal(doubled.bytes, bytes);
    else assert.ok(doubled.bytes > bytes, setting);
    assert.ok(doubled.hostileBytes > hostileBytes, setting);
  }
});

test('the largest terms come first, and their sum is the whole', () => {
  const { terms, bytes } = memoryBound({ ...DEFAULTS, queueBytes: 1024 * MIB });
  assert.equal(terms[0]?.setting, 'transform.queue_bytes');
  assert.equal(
    terms.reduce((sum, term) => sum + term.bytes, 0),
    bytes,
  );
});
