import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LagTracker } from '../../src/pipeline/lag-tracker.ts';
import type { IngestObserver } from '../../src/pipeline/observer.ts';

function tracked(): { tracker: LagTracker; told: string[] } {
  const told: string[] = [];
  const observer: Pick<IngestObserver, 'lag' | 'lagLost'> = {
    lag: (topic, partition, records) => told.push(`${topic}/${partition} ${records}`),
    lagLost: (topic, partition) => told.push(`${topic}/${partition} lost`),
  };
  return { tracker: new LagTracker(observer as IngestObserver), told };
}

const at = (partition: number): { topic: string; partition: number } => ({ topic: 't', partition });

test('lag is what is not durable yet, and never negative', () => {
  const { tracker, told } = tracked();
  tracker.begin([at(0), at(1)], []);
  tracker.delivered({ ...at(0), highWatermark: 100, nextOffset: 60 });
  tracker.durable([{ ...at(0), nextOffset: 40 }]);
  tracker.durable([{ ...at(0), nextOffset: 101 }]);
  tracker.durable([{ ...at(1), nextOffset: 5 }]);
  assert.deepEqual(told, ['t/0 60', 't/0 0'], 'nothing is known of a partition without a delivery');
  assert.equal(tracker.unread(), 40);
});

test('a lost partition is told once, and then forgotten', () => {
  const { tracker, told } = tracked();
  tracker.begin([at(0), at(1)], []);
  tracker.delivered({ ...at(0), highWatermark: 100, nextOffset: 60 });
  tracker.begin([at(1)], []);
  tracker.begin([at(1)], []);
  tracker.durable([{ ...at(0), nextOffset: 40 }]);
  assert.deepEqual(told, ['t/0 lost']);
  assert.equal(tracker.unread(), 0);
});

test('lag is known from the start where the log and the position are', () => {
  const { tracker, told } = tracked();
  tracker.logEnd('t', 0, 100);
  tracker.logEnd('t', 1, 7);
  tracker.begin(
    [at(0), at(1)],
    [
      { ...at(0), nextOffset: 30 },
      { ...at(1), nextOffset: 7 },
    ],
  );
  assert.deepEqual(told, ['t/0 70', 't/1 0']);
});
