import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedQueue } from '../../src/core/bounded-queue.ts';

test('items leave in the order in which they came', () => {
  const queue = new BoundedQueue<string>(3, 100);
  assert.equal(queue.shift(), undefined);
  assert.ok(queue.tryPush('a', 1) && queue.tryPush('b', 2));
  assert.deepEqual([queue.size, queue.bytes], [2, 3]);
  assert.deepEqual([queue.shift(), queue.shift(), queue.shift()], ['a', 'b', undefined]);
  assert.deepEqual([queue.size, queue.bytes], [0, 0]);
});

test('a full queue refuses and stays as it was', () => {
  const byItems = new BoundedQueue<string>(2, 100);
  assert.deepEqual(
    ['a', 'b', 'c'].map((item) => byItems.tryPush(item, 1)),
    [true, true, false],
  );
  const byBytes = new BoundedQueue<string>(10, 10);
  assert.deepEqual(
    [6, 4, 1, 0].map((bytes) => byBytes.tryPush('x', bytes)),
    [true, true, false, true],
  );
  assert.deepEqual([byBytes.size, byBytes.bytes], [3, 10]);
});

test('an item above the byte limit enters an empty queue only', () => {
  const queue = new BoundedQueue<string>(4, 10);
  assert.ok(queue.tryPush('small', 1));
  assert.ok(!queue.tryPush('large', 11));
  queue.shift();
  assert.ok(queue.hasRoom(11) && queue.tryPush('large', 11));
  assert.ok(!queue.tryPush('small', 0));
});

test('it behaves like an array with the two limits, for any sequence of operations', () => {
  const operation = fc.oneof(fc.record({ bytes: fc.nat({ max: 12 }) }), fc.constant('shift' as const));
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      (operations, maxItems) => {
        const queue = new BoundedQueue<{ bytes: number }>(maxItems, 10);
        const model: { bytes: number }[] = [];
        const sum = () => model.reduce((total, { bytes }) => total + bytes, 0);
        for (const step of operations) {
          if (step === 'shift') {
            assert.equal(queue.shift(), model.shift());
          } else {
            const fits = model.length < maxItems && (model.length === 0 || sum() + step.bytes <= 10);
            assert.equal(queue.hasRoom(step.bytes), fits);
            assert.equal(queue.tryPush(step, step.bytes), fits);
            if (fits) model.push(step);
          }
          assert.deepEqual([queue.size, queue.bytes], [model.length, sum()]);
        }
      },
    ),
  );
});
