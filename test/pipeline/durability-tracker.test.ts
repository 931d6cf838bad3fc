import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DurabilityTracker } from '../../src/pipeline/durability-tracker.ts';

test('each record is reported once, when the checkpoint that holds it is durable', () => {
  const tracker = new DurabilityTracker();
  const reported: string[] = [];
  const durable = (units: number): void =>
    tracker.durable(units, 1000, (milliseconds, records) =>
      reported.push(`${records} after ${milliseconds}`),
    );
  tracker.handed(Float64Array.of(900, 3, 950, 2));
  tracker.handed(new Float64Array());
  tracker.handed(Float64Array.of(2000, 1));
  durable(0);
  assert.deepEqual(reported, []);
  durable(2);
  assert.deepEqual(reported, ['3 after 100', '2 after 50']);
  durable(2);
  durable(3);
  assert.deepEqual(reported.slice(2), ['1 after 0'], 'a clock ahead of ours gives no negative latency');
});
