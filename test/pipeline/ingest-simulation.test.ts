/**
 * Kafka as far as the ingest loop sees it, at random: fetches, results in any order, rebalances,
 * fetches from before a rebalance that arrive after it. However it goes, what the writer gets of each
 * partition must be the log itself: from the beginning, in order, nothing missing, nothing twice.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type BatchSpec, deliveryOf, IngestHarness } from '../helpers/ingest-harness.ts';

const PARTITIONS = [0, 1, 2];

/** Batches of 1 to 5 offsets, with a marker between some of them, as a topic would hold them. */
function logOf(sizes: readonly number[]): BatchSpec[] {
  let next = 0;
  return sizes.map((size) => {
    const first = next;
    next += size + (size % 2);
    return [first, first + size - 1, size * 50] as const;
  });
}

type Action =
  | { readonly kind: 'fetch'; readonly partition: number; readonly count: number }
  | { readonly kind: 'finish'; readonly pick: number }
  | { readonly kind: 'release' }
  | { readonly kind: 'rebalance' }
  | { readonly kind: 'late'; readonly pick: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('fetch' as const),
      partition: fc.nat({ max: 2 }),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('finish' as const), pick: fc.nat({ max: 10 }) }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'release' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'rebalance' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late' as const), pick: fc.nat({ max: 10 }) }) },
);

class Simulation {
  readonly harness = new IngestHarness(
    { taskBytes: 300, queueBytes: 1500, queueItems: 6, tasksInFlight: 3 },
    { 0: 0, 1: 0, 2: 0 },
  );
  readonly #log: readonly BatchSpec[];
  /** Where kafkajs reads on. */
  readonly #positions = new Map<number, number>();
  /** Handlers that have not returned yet. */
  readonly #busy = new Set<number>();
  readonly #past: { partition: number; fetched: number; count: number }[] = [];
  #epoch = 0;

  constructor(log: readonly BatchSpec[]) {
    this.#log = log;
    this.rebalance();
  }

  rebalance(): void {
    this.#epoch += 1;
    for (const seek of this.harness.assign(...PARTITIONS)) this.#seek(seek);
  }

  /** One handler per partition at a time, as in kafkajs. */
  fetch(partition: number, count: number): void {
    if (this.#busy.has(partition)) return;
    const fetched = this.#positions.get(partition) ?? 0;
    const batches = this.#from(fetched, count);
    if (batches.length === 0) return;
    this.#past.push({ partition, fetched, count });
    const epoch = this.#epoch;
    const base = deliveryOf({
      partition,
      fetched,
      batches,
      next: this.#nextOf(batches),
      highWatermark: this.#end(),
    });
    const resolve = (offset: number): boolean => {
      if (epoch !== this.#epoch) return false;
      this.#positions.set(partition, offset);
      return true;
    };
    this.#busy.add(partition);
    this.#deliver(partition, { ...base, resolve });
  }

  /** A fetch that was under way arrives after the position moved. */
  late(pick: number): void {
    const old = this.#past[pick % Math.max(1, this.#past.length)];
    if (old === undefined || this.#busy.has(old.partition)) return;
    if (old.fetched === this.#positions.get(old.partition)) return;
    const batches = this.#from(old.fetched, old.count);
    const { partition, fetched } = old;
    const base = deliveryOf({
      partition,
      fetched,
      batches,
      next: this.#nextOf(batches),
      highWatermark: this.#end(),
    });
    this.#deliver(partition, { ...base, resolve: () => assert.fail('nothing of it may be taken') });
    this.#applySeeks();
  }

  #deliver(partition: number, delivery: Parameters<IngestHarness['ingest']['deliver']>[0]): void {
    this.harness.ingest
      .deliver(delivery)
      .catch((error: unknown) => this.harness.failures.push(error))
      .finally(() => {
        this.#busy.delete(partition);
        this.#applySeeks();
      });
  }

  async finishEverything(): Promise<void> {
    for (let idle = 0; idle < 3; ) {
      for (const partition of PARTITIONS) this.fetch(partition, 4);
      const before = this.harness.appended.length;
      await this.harness.finishAll();
      await sleep(0);
      idle = this.harness.appended.length === before && this.#busy.size === 0 ? idle + 1 : 0;
    }
  }

  #applySeeks(): void {
    for (const seek of this.harness.seeks.splice(0)) this.#seek(seek);
  }

  #seek(seek: string): void {
    const [partition, offset] = seek.split('@').map(Number);
    this.#positions.set(partition ?? 0, offset ?? 0);
  }

  #from(offset: number, count: number): BatchSpec[] {
    return this.#log.filter(([, last]) => last >= offset).slice(0, count);
  }

  /** Markers behind the last batch belong to what was read. */
  #nextOf(batches: readonly BatchSpec[]): number {
    const last = batches.at(-1);
    const following = this.#log.find(([base]) => last !== undefined && base > last[1]);
    return following?.[0] ?? this.#end();
  }

  #end(): number {
    return (this.#log.at(-1)?.[1] ?? -1) + 2;
  }

  checkAll(): void {
    assert.deepEqual([this.harness.failures, this.harness.skipped], [[], []]);
    for (const partition of PARTITIONS) {
      let reached = 0;
      for (const unit of this.harness.appended.filter((candidate) => candidate.partition === partition)) {
        assert.equal(unit.firstOffset, reached);
        assert.ok(unit.nextOffset > unit.firstOffset);
        reached = unit.nextOffset;
      }
      assert.equal(reached, this.#end());
    }
    const { maxItems, maxBytes } = this.harness.queued;
    assert.ok(maxItems <= 6 && maxBytes <= 1500);
  }
}

test('whatever happens in which order, the writer gets the log', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.array(action, { maxLength: 120 }), async (log, actions) => {
      const simulation = new Simulation(logOf(log));
      for (const step of actions) {
        if (step.kind === 'fetch') simulation.fetch(step.partition, step.count);
        else if (step.kind === 'rebalance') simulation.rebalance();
        else if (step.kind === 'release') simulation.harness.release();
        else if (step.kind === 'late') simulation.late(step.pick);
        else {
          const { running } = simulation.harness;
          await running[step.pick % Math.max(1, running.length)]?.finish();
        }
      }
      await simulation.finishEverything();
      simulation.checkAll();
    }),
    { numRuns: 60 },
  );
});
