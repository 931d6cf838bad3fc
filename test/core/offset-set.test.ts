import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OffsetSet } from '../../src/core/offset-set.ts';

const ranges = fc.array(
  fc
    .tuple(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 9 }))
    .map(([from, length]) => [from, from + length] as const),
  { maxLength: 25 },
);

/** All offsets of the ranges, one by one. */
function offsetsOf(list: Iterable<{ from: number; to: number }>): number[] {
  return [...list].flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index));
}

test('it holds exactly what was added, in ranges that neither overlap nor touch', () => {
  fc.assert(
    fc.property(ranges, (added) => {
      const set = new OffsetSet();
      const model = new Set<number>();
      for (const [from, to] of added) {
        set.add(from, to);
        for (let offset = from; offset < to; offset += 1) model.add(offset);
      }
      const expected = [...model].sort((left, right) => left - right);
      assert.deepEqual(offsetsOf(set.ranges()), expected);
      assert.equal(set.size, model.size);
      for (let offset = -1; offset < 72; offset += 1) assert.equal(set.has(offset), model.has(offset));
      const found = [...set.ranges()];
      assert.ok(found.every(({ from }, index) => index === 0 || (found[index - 1]?.to ?? 0) < from));
    }),
  );
});

test('its text form is read back as it was', () => {
  fc.assert(
    fc.property(ranges, (added) => {
      const set = new OffsetSet();
      for (const [from, to] of added) set.add(from, to);
      const flat = set.encode();
      assert.deepEqual([...OffsetSet.decode(flat).ranges()], [...set.ranges()]);
    }),
  );
  const set = new OffsetSet();
  for (const offset of [1_000_000, 1_000_001, 1_000_005]) set.add(offset);
  assert.deepEqual(set.encode(), [1_000_000, 2, 3, 1]);
});

test('it gives the parts of a range that it holds', () => {
  fc.assert(
    fc.property(ranges, fc.nat({ max: 60 }), fc.integer({ min: 1, max: 20 }), (added, from, length) => {
      const set = new OffsetSet();
      for (const [start, end] of added) set.add(start, end);
      const expected = offsetsOf(set.ranges()).filter((offset) => offset >= from && offset < from + length);
      assert.deepEqual(offsetsOf(set.within(from, from + length)), expected);
    }),
  );
});
