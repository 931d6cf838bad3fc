import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trendOf } from './process-samples.ts';

test('a trend leaves out the first third, and a single outlier does not move it', () => {
  assert.deepEqual(trendOf([900, 1, 2, 10, 11, 90, 20, 21, 22]), { before: 11, after: 21, most: 90 });
});

test('too few samples are refused', () => {
  assert.throws(() => trendOf([1, 2]), /2 samples are too few/);
});
