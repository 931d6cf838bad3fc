import assert from 'node:assert/strict';
import { it } from 'node:test';
import { scratchOf } from '../../../src/transform/codecs/scratch.ts';

it('the scratch is used again, grows with its content, and gives back what only one batch needed', () => {
  const first = scratchOf(1_000);
  first.set([1, 2, 3]);
  assert.equal(scratchOf(2_000), first);
  const grown = scratchOf(first.length + 1, 3);
  assert(grown.length > first.length);
  assert.deepEqual([...grown.subarray(0, 3)], [1, 2, 3]);
  const large = scratchOf(32 * 1024 * 1024, 3);
  assert.equal(scratchOf(1_000, 3), large, 'kept while a batch is put together');
  assert(scratchOf(1_000).length <= 8 * 1024 * 1024, 'given back with the next batch');
});
