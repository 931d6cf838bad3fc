import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Watchdog } from '../../src/pipeline/watchdog.ts';

function watched(context: TestContext): {
  watchdog: Watchdog;
  stalls: number[];
  pass(milliseconds: number): void;
  /** The process stands still. */
  standStill(milliseconds: number): void;
} {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const stalls: number[] = [];
  const clock = { now: () => 0, monotonic: () => now };
  const watchdog = new Watchdog(clock, 1000, (silentMs) => stalls.push(silentMs));
  context.after(() => watchdog.stop());
  const pass = (milliseconds: number): void => {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      now += 50;
      context.mock.timers.tick(50);
    }
  };
  const standStill = (milliseconds: number): void => {
    now += milliseconds;
  };
  return { watchdog, stalls, pass, standStill };
}

test('silence is told once, soon after its limit', (context) => {
  const { watchdog, stalls, pass } = watched(context);
  watchdog.start();
  pass(950);
  assert.deepEqual(stalls, []);
  pass(5000);
  assert.equal(stalls.length, 1);
  assert.ok((stalls[0] ?? 0) >= 1000 && (stalls[0] ?? 0) <= 1250);
});

test('any activity counts, and the time before the start does not', (context) => {
  const { watchdog, stalls, pass } = watched(context);
  pass(5000);
  watchdog.start();
  for (let round = 0; round < 10; round += 1) {
    pass(900);
    watchdog.activity();
  }
  assert.deepEqual(stalls, []);
  watchdog.stop();
  pass(5000);
  assert.deepEqual(stalls, []);
});

test('time in which the process itself stood still proves nothing', (context) => {
  const { watchdog, stalls, pass, standStill } = watched(context);
  watchdog.start();
  pass(500);
  standStill(20_000);
  pass(900);
  assert.deepEqual(stalls, []);
  pass(1000);
  assert.equal(stalls.length, 1, 'but silence after it does');
});

test('a new limit begins anew', (context) => {
  const { watchdog, stalls, pass } = watched(context);
  watchdog.start();
  pass(900);
  watchdog.allow(3000);
  pass(2900);
  assert.deepEqual(stalls, []);
  pass(500);
  assert.equal(stalls.length, 1);
});
