import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveWorkers } from '../../src/config/workers.ts';

test('auto: every core of a small machine, all but one of a larger one, at most 8', () => {
  const cores = [0, 1, 2, 3, 4, 8, 9, 64];
  assert.deepEqual(
    cores.map((count) => resolveWorkers('auto', count, () => true)),
    [1, 1, 2, 2, 3, 7, 8, 8],
  );
});

test('a number is taken as it is', () => {
  assert.equal(
    resolveWorkers(64, 2, () => false),
    64,
  );
});

test('auto: no more than fit into memory, but one at least', () => {
  assert.equal(
    resolveWorkers('auto', 16, (workers) => workers <= 3),
    3,
  );
  assert.equal(
    resolveWorkers('auto', 16, () => false),
    1,
  );
});
