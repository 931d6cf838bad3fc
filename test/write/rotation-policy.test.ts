import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustRotate } from '../../src/write/rotation-policy.ts';

const POLICY = { maxFileBytes: 100, maxFileAgeMs: 1000 };

const TABLE: readonly (readonly [length: number, incoming: number, ageMs: number, rotates: boolean])[] = [
  [0, 0, 5000, false],
  [0, 500, 5000, false],
  [99, 1, 0, false],
  [99, 2, 0, true],
  [100, 0, 0, false],
  [500, 0, 0, true],
  [1, 0, 999, false],
  [1, 0, 1000, true],
  [1, 0, -3_600_000, false],
];

for (const [length, incoming, ageMs, rotates] of TABLE) {
  test(`${length} bytes, ${ageMs} ms old, ${incoming} more: ${rotates ? 'rotate' : 'stay'}`, () => {
    assert.equal(mustRotate({ length, openedAtMs: 10_000 }, incoming, 10_000 + ageMs, POLICY), rotates);
  });
}
