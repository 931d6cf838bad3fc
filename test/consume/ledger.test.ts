import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger, type LedgerEntry } from '../../src/consume/ledger.ts';
import { InvariantError } from '../../src/core/invariant.ts';
import type { Position } from '../../src/core/offsets.ts';

interface Result {
  readonly id: number;
}

const TOPIC = 'logs';
const RESULT: Result = { id: 0 };
const START = 1000;

function positions(offsets: Readonly<Record<number, number>>): Position[] {
  return Object.entries(offsets).map(([partition, nextOffset]) => ({
    topic: TOPIC,
    partition: Number(partition),
    nextOffset,
  }));
}

function ranges(entries: readonly LedgerEntry<Result>[]): string[] {
  return entries.map(({ partition, firstOffset, nextOffset }) => `${partition}:${firstOffset}-${nextOffset}`);
}

test('entries leave in order, when all before them are resolved', () => {
  const ledger = new Ledger<Result>();
  ledger.begin(positions({ 0: 10 }));
  const [first, second, third] = [12, 13, 20].map((next) => ledger.take(TOPIC, 0, next));
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  assert.equal(ledger.takenOffset(TOPIC, 0), 20);
  assert.deepEqual(ranges(ledger.resolve(third, RESULT)), []);
  assert.deepEqual(ranges(ledger.resolve(first, RESULT)), ['0:10-12']);
  assert.equal(ledger.size, 2);
  assert.deepEqual(ranges(ledger.resolve(second, RESULT)), ['0:12-13', '0:13-20']);
  assert.equal(ledger.size, 0);
});

test('nothing is resolved twice, nor by a late result of an older epoch', () => {
  const ledger = new Ledger<Result>();
  ledger.begin(positions({ 0: 0 }));
  const done = ledger.take(TOPIC, 0, 5);
  ledger.resolve(done, RESULT);
  assert.throws(() => ledger.resolve(done, RESULT), InvariantError);
  const late = ledger.take(TOPIC, 0, 9);
  ledger.begin(positions({ 0: 5 }));
  assert.throws(() => ledger.resolve(late, RESULT), InvariantError);
});

test('an epoch holds exactly the given partitions, each from its position on', () => {
  const ledger = new Ledger<Result>();
  ledger.begin(positions({ 0: 7, 1: 3 }));
  assert.equal(ledger.take(TOPIC, 0, 9).firstOffset, 7);
  ledger.begin(positions({ 1: 5 }));
  assert.deepEqual([ledger.epoch, ledger.size, ledger.takenOffset(TOPIC, 0)], [2, 0, undefined]);
  assert.throws(() => ledger.take(TOPIC, 0, 9), InvariantError);
  assert.equal(ledger.take(TOPIC, 1, 6).firstOffset, 5);
});

type Operation =
  | { readonly kind: 'take'; readonly partition: number; readonly count: number }
  | { readonly kind: 'resolve'; readonly pick: number }
  | { readonly kind: 'begin'; readonly partitions: readonly number[] };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      partition: fc.nat({ max: 3 }),
      count: fc.nat({ max: 4 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('resolve' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('begin' as const), partitions: fc.subarray([0, 1, 2, 3]) }),
  },
);

/** Says the same in the simplest way: a list per partition, searched from its beginning every time. */
class Model {
  readonly lanes = new Map<
    number,
    { handed: number; entries: { entry: LedgerEntry<Result>; done: boolean }[] }
  >();

  begin(partitions: readonly number[]): void {
    this.lanes.clear();
    for (const partition of partitions) this.lanes.set(partition, { handed: START, entries: [] });
  }

  taken(partition: number): number | undefined {
    const lane = this.lanes.get(partition);
    return lane?.entries.at(-1)?.entry.nextOffset ?? lane?.handed;
  }

  resolve(entry: LedgerEntry<Result>): string[] {
    const lane = this.lanes.get(entry.partition);
    assert.ok(lane !== undefined);
    for (const own of lane.entries) if (own.entry === entry) own.done = true;
    const stop = lane.entries.findIndex(({ done }) => !done);
    const left = lane.entries.splice(0, stop === -1 ? lane.entries.length : stop);
    lane.handed = left.at(-1)?.entry.nextOffset ?? lane.handed;
    return ranges(left.map((own) => own.entry));
  }

  open(): LedgerEntry<Result>[] {
    return [...this.lanes.values()].flatMap(({ entries }) =>
      entries.filter(({ done }) => !done).map(({ entry }) => entry),
    );
  }

  size(): number {
    return [...this.lanes.values()].reduce((sum, { entries }) => sum + entries.length, 0);
  }
}

test('it behaves like a simple model, for any order of work and any rebalances', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const ledger = new Ledger<Result>();
      const model = new Model();
      const stale: LedgerEntry<Result>[] = [];
      for (const step of [{ kind: 'begin', partitions: [0, 1, 2, 3] } as const, ...operations]) {
        if (step.kind === 'begin') {
          stale.push(...model.open());
          model.begin(step.partitions);
          ledger.begin(positions(Object.fromEntries(step.partitions.map((partition) => [partition, START]))));
        } else if (step.kind === 'take') {
          const taken = model.taken(step.partition);
          assert.equal(ledger.takenOffset(TOPIC, step.partition), taken);
          if (taken === undefined) continue;
          const entry = ledger.take(TOPIC, step.partition, taken + step.count);
          assert.deepEqual([entry.firstOffset, entry.epoch], [taken, ledger.epoch]);
          model.lanes.get(step.partition)?.entries.push({ entry, done: false });
        } else {
          const open = model.open();
          const entry = open[step.pick % Math.max(1, open.length)];
          if (entry !== undefined)
            assert.deepEqual(ranges(ledger.resolve(entry, RESULT)), model.resolve(entry));
        }
        assert.equal(ledger.size, model.size());
      }
      for (const entry of stale) assert.throws(() => ledger.resolve(entry, RESULT), InvariantError);
    }),
  );
});
