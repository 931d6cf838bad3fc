import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ledger, type LedgerEntry } from '../../src/consume/ledger.ts';
import { InvariantError } from '../../src/core/invariant.ts';
import { partitionKey } from '../../src/core/offsets.ts';

interface Result {
  readonly id: number;
}

const TOPIC = 'logs';
const RESULT: Result = { id: 0 };

function assigned(...partitions: number[]): { topic: string; partition: number }[] {
  return partitions.map((partition) => ({ topic: TOPIC, partition }));
}

function positions(offsets: Readonly<Record<number, number>>): Map<string, number> {
  return new Map(Object.entries(offsets).map(([partition, offset]) => [`${TOPIC}/${partition}`, offset]));
}

function ranges(entries: readonly LedgerEntry<Result>[]): string[] {
  return entries.map(({ partition, firstOffset, nextOffset }) => `${partition}:${firstOffset}-${nextOffset}`);
}

test('entries leave in order, when all before them are resolved', () => {
  const ledger = new Ledger<Result>();
  ledger.begin(assigned(0), positions({ 0: 10 }));
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
  ledger.begin(assigned(0), positions({ 0: 0 }));
  const done = ledger.take(TOPIC, 0, 5);
  ledger.resolve(done, RESULT);
  assert.throws(() => ledger.resolve(done, RESULT), InvariantError);
  const late = ledger.take(TOPIC, 0, 9);
  ledger.begin(assigned(0), new Map());
  assert.throws(() => ledger.resolve(late, RESULT), InvariantError);
  assert.equal(ledger.takenOffset(TOPIC, 0), 5, 'what was not handed on is read again');
});

test('a position is set once, and nothing is taken without one', () => {
  const ledger = new Ledger<Result>();
  assert.deepEqual(ledger.begin(assigned(0, 1), positions({ 0: 7 })), positions({ 0: 7 }));
  assert.throws(() => ledger.start(TOPIC, 0, 7), InvariantError);
  assert.throws(() => ledger.take(TOPIC, 1, 7), InvariantError);
  ledger.start(TOPIC, 1, 3);
  assert.equal(ledger.take(TOPIC, 1, 4).firstOffset, 3);
});

test('over epochs: held partitions go on where they were handed on, others at the given position', () => {
  const ledger = new Ledger<Result>();
  ledger.begin(assigned(0, 1), positions({ 0: 0, 1: 0 }));
  ledger.resolve(ledger.take(TOPIC, 0, 5), RESULT);
  ledger.take(TOPIC, 0, 9);
  assert.deepEqual(ledger.begin(assigned(0, 2), positions({ 0: 100, 2: 7 })), positions({ 0: 5, 2: 7 }));
  assert.deepEqual([ledger.epoch, ledger.size, ledger.takenOffset(TOPIC, 1)], [2, 0, undefined]);
  assert.deepEqual(ledger.begin(assigned(1), new Map()), new Map(), 'a partition held by others meanwhile');
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
    const before = new Map(this.lanes);
    this.lanes.clear();
    for (const partition of partitions) {
      this.lanes.set(partition, { handed: before.get(partition)?.handed ?? 1000, entries: [] });
    }
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
  const start = positions({ 0: 1000, 1: 1000, 2: 1000, 3: 1000 });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const ledger = new Ledger<Result>();
      const model = new Model();
      const stale: LedgerEntry<Result>[] = [];
      for (const step of [{ kind: 'begin', partitions: [0, 1, 2, 3] } as const, ...operations]) {
        if (step.kind === 'begin') {
          stale.push(...model.open());
          model.begin(step.partitions);
          const known = ledger.begin(assigned(...step.partitions), start);
          for (const partition of step.partitions) {
            assert.equal(known.get(partitionKey(TOPIC, partition)), model.taken(partition));
          }
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
