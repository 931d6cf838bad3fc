import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Watchdog } from '../../src/pipeline/watchdog.ts';

function watched(context: TestContext): {
  watchdog: Watchdog;
  stalls: number[];
  pass(milliseconds: number): void;
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
  return { watchdog, stalls, pass };
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
