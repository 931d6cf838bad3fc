import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  ProgressWatchdog,
  type ProgressWatchdogOptions,
  progressLimits,
  type Workload,
} from '../../src/pipeline/progress-watchdog.ts';

const PENDING: Workload = { kind: 'pending', what: '3 tasks in work' };

interface Watched {
  readonly watchdog: ProgressWatchdog;
  readonly told: string[];
  workload: Workload;
  pass(milliseconds: number): void;
}

function watched(context: TestContext): Watched {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let now = 0;
  const told: string[] = [];
  const note =
    (name: string): ProgressWatchdogOptions['onStalled'] =>
    (what, stillMs) =>
      told.push(`${name} after ${stillMs}: ${what}`);
  const watchdog = new ProgressWatchdog({
    clock: { now: () => 0, monotonic: () => now },
    unreadyAfterMs: 1000,
    endAfterMs: 4000,
    look: () => scene.workload,
    onStalled: note('stalled'),
    onMoving: () => told.push('moving'),
    onGivenUp: note('given up'),
  });
  context.after(() => watchdog.stop());
  const pass = (milliseconds: number): void => {
    for (let passed = 0; passed < milliseconds; passed += 50) {
      now += 50;
      context.mock.timers.tick(50);
    }
  };
  const scene: Watched = { watchdog, told, workload: PENDING, pass };
  return scene;
}

test('pending work without progress is told once, and then given up', (context) => {
  const { watchdog, told, pass } = watched(context);
  watchdog.start();
  pass(950);
  assert.deepEqual(told, []);
  pass(1000);
  assert.deepEqual(told, ['stalled after 1000: 3 tasks in work']);
  pass(10_000);
  assert.deepEqual(told.slice(1), ['given up after 4000: 3 tasks in work']);
});

test('progress ends a standstill, and the time begins anew', (context) => {
  const { watchdog, told, pass } = watched(context);
  watchdog.start();
  pass(3900);
  watchdog.progress();
  assert.deepEqual(told, ['stalled after 1000: 3 tasks in work', 'moving']);
  pass(900);
  watchdog.progress();
  pass(900);
  assert.equal(told.length, 2);
});

test('no time counts in which there was nothing to do, or somebody else to wait for', (context) => {
  for (const kind of ['idle', 'waiting'] as const) {
    const scene = watched(context);
    scene.watchdog.start();
    scene.pass(900);
    scene.workload = { kind };
    scene.pass(10_000);
    scene.workload = PENDING;
    // A standstill is counted from the last look, up to a quarter of the limit earlier.
    scene.pass(700);
    assert.deepEqual(scene.told, [], kind);
    scene.pass(600);
    assert.equal(scene.told.length, 1, kind);
    scene.workload = { kind };
    scene.pass(500);
    assert.equal(scene.told.at(-1), 'moving', kind);
    context.mock.timers.reset();
  }
});

test('the time before the start and after a stop does not count', (context) => {
  const { watchdog, told, pass } = watched(context);
  pass(5000);
  watchdog.start();
  pass(500);
  watchdog.stop();
  pass(5000);
  assert.deepEqual(told, []);
});

test('limits leave room for two checkpoints and a session', () => {
  assert.deepEqual(progressLimits(30_000, 1000), { unreadyAfterMs: 32_000, endAfterMs: 320_000 });
  assert.deepEqual(progressLimits(30_000, 600_000), { unreadyAfterMs: 1_230_000, endAfterMs: 12_300_000 });
});
