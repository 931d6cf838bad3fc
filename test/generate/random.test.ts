import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, weightedTable } from '../../src/generate/random.ts';

describe('Random', () => {
  it('repeats its sequence for the same seed and differs for others', () => {
    const draw = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 50 }, () => random.uint32());
    };
    assert.deepEqual(draw(1), draw(1));
    const seeds = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, -1];
    assert.equal(new Set(seeds.map((seed) => draw(seed).join())).size, seeds.length);
  });

  it('spreads numbers evenly over the range', () => {
    const random = new Random(42);
    const buckets = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 100_000; draw += 1) {
      const bucket = random.below(10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const filled of buckets) assert.ok(Math.abs(filled - 10_000) < 500, `${filled} of 10000`);
  });

  it('writes UUIDs of version 4 and never the same twice', () => {
    const random = new Random(3);
    const uuids = Array.from({ length: 10_000 }, () => random.uuid());
    for (const uuid of uuids) {
      assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    assert.equal(new Set(uuids).size, uuids.length);
  });
});

describe('weightedTable', () => {
  it('gives each item its share of the slots, and a rare one at least one', () => {
    const table = weightedTable(
      [
        ['often', 3],
        ['seldom', 1],
        ['rare', 0.0001],
        ['never', 0],
      ],
      100,
    );
    const share = (item: string) => table.filter((entry) => entry === item).length;
    assert.deepEqual([share('often'), share('seldom'), share('rare'), share('never')], [75, 25, 1, 0]);
  });
});
