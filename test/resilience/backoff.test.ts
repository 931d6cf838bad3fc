import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from '../../src/resilience/backoff.ts';

function pauses(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

test('pauses double up to the limit, each between a half and the whole', () => {
  for (let round = 0; round < 100; round += 1) {
    const found = pauses(new Backoff({ firstMs: 100, maxMs: 1000 }), 8);
    for (const [index, whole] of [100, 200, 400, 800, 1000, 1000, 1000, 1000].entries()) {
      const pause = found[index] ?? 0;
      assert.ok(pause >= whole / 2 && pause <= whole, `${index}: ${pause}`);
    }
  }
});

test('they never pass the limit, however long it lasts', () => {
  const last = pauses(new Backoff({ firstMs: 100, maxMs: 1000 }), 5000).slice(-1000);
  assert.ok(last.every((pause) => pause >= 500 && pause <= 1000));
});

test('they differ', () => {
  const first = Array.from({ length: 50 }, () => new Backoff({ firstMs: 1000, maxMs: 1000 }).next());
  assert.ok(new Set(first).size > 10);
});

test('after a success they begin anew', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 10_000 });
  pauses(backoff, 6);
  backoff.reset();
  assert.ok(backoff.next() <= 100);
});
