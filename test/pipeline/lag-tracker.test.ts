import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LagTracker, type LogEnd } from '../../src/pipeline/lag-tracker.ts';
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
const ending = (partition: number, latest: number): LogEnd => ({ ...at(partition), latest });

test('lag is what is not durable yet, and never negative', () => {
  const { tracker, told } = tracked();
  tracker.begin([ending(0, 0), ending(1, 5)], []);
  tracker.delivered({ ...at(0), highWatermark: 100, nextOffset: 60 });
  tracker.durable([{ ...at(0), nextOffset: 40 }]);
  tracker.durable([{ ...at(0), nextOffset: 101 }]);
  tracker.durable([{ ...at(1), nextOffset: 5 }]);
  assert.deepEqual(told, ['t/0 60', 't/0 0', 't/1 0']);
  assert.equal(tracker.unread(), 40);
});

test('a lost partition is told once, and then forgotten', () => {
  const { tracker, told } = tracked();
  tracker.begin([ending(0, 0), ending(1, 5)], []);
  tracker.delivered({ ...at(0), highWatermark: 100, nextOffset: 60 });
  tracker.begin([ending(1, 5)], []);
  tracker.begin([ending(1, 5)], []);
  tracker.durable([{ ...at(0), nextOffset: 40 }]);
  assert.deepEqual(told, ['t/0 lost']);
  assert.equal(tracker.unread(), 0);
});

test('lag is known from the start where the log and the position are', () => {
  const { tracker, told } = tracked();
  tracker.begin(
    [ending(0, 100), ending(1, 7)],
    [
      { ...at(0), nextOffset: 30 },
      { ...at(1), nextOffset: 7 },
    ],
  );
  assert.deepEqual(told, ['t/0 70', 't/1 0']);
});
