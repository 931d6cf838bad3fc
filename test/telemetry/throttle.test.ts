import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Throttle } from '../../src/telemetry/throttle.ts';

test('the first passes, then one per interval with the sum of what was held back', () => {
  let now = 5;
  const throttle = new Throttle({ now: () => 0, monotonic: () => now }, 100);
  assert.equal(throttle.pass(3), 3);
  assert.equal(throttle.pass(1), undefined);
  now = 104;
  assert.equal(throttle.pass(2), undefined);
  now = 105;
  assert.equal(throttle.pass(4), 7);
  assert.equal(throttle.pass(1), undefined);
});
