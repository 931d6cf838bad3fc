import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { IngestObserver } from '../../src/pipeline/observer.ts';
import { Vigilance } from '../../src/pipeline/vigilance.ts';

/** Stalled after 8 s of pending work, given up after 80 s; silent after 12 s. */
function watching(context: TestContext) {
  context.mock.timers.enable({ apis: ['setInterval'] });
  let nowMs = 0;
  const told: string[] = [];
  const observer: Pick<IngestObserver, 'stalled' | 'moving' | 'brokerTrouble' | 'brokerBack'> = {
    stalled: (what) => told.push(`stalled: ${what}`),
    moving: () => told.push('moving'),
    brokerTrouble: (message) => told.push(`trouble: ${message}`),
    brokerBack: () => told.push('broker back'),
  };
  const state = { pending: undefined as string | undefined };
  const vigilance = new Vigilance({
    clock: { now: () => nowMs, monotonic: () => nowMs },
    observer: observer as IngestObserver,
    sessionTimeoutMs: 6000,
    rebalanceTimeoutMs: 30_000,
    checkpointIntervalMs: 1000,
    pendingWork: () => state.pending,
    onFailure: ({ code, message }) => told.push(`${code}: ${message}`),
  });
  vigilance.start();
  vigilance.member(true);
  /** Time passes, with a heartbeat every second unless the consumer is silent. */
  const pass = (seconds: number, isSilent = false): void => {
    for (let second = 0; second < seconds; second += 1) {
      nowMs += 1000;
      context.mock.timers.tick(1000);
      if (!isSilent) vigilance.activity();
    }
  };
  return { vigilance, told, state, pass };
}

test('a consumer without a sign of life is taken for dead', (context) => {
  const { told, pass } = watching(context);
  pass(60);
  assert.deepEqual(told, []);
  pass(20, true);
  assert.match(told.join(), /^STALLED: The Kafka consumer showed no sign of life for 1[2-5] s/);
});

test('whoever joins may have to wait for the others', (context) => {
  const { vigilance, told, pass } = watching(context);
  vigilance.member(false);
  pass(40, true);
  assert.deepEqual(told, []);
  vigilance.member(true);
  pass(20, true);
  assert.match(told.join(), /^STALLED: The Kafka consumer/);
});

test('work that gets nowhere is told, and ends the process in the end', (context) => {
  const { told, state, pass } = watching(context);
  state.pending = '3 tasks in work';
  pass(20);
  assert.deepEqual(told, ['stalled: 3 tasks in work']);
  pass(70);
  assert.match(told.at(-1) ?? '', /^STALLED: Nothing became durable for 8\d s .*3 tasks in work/);
});

test('progress ends a standstill', (context) => {
  const { vigilance, told, state, pass } = watching(context);
  state.pending = 'work';
  pass(20);
  vigilance.progress();
  assert.deepEqual(told, ['stalled: work', 'moving']);
});

test('a full disk, a broker in trouble and a rebalance are waited for', (context) => {
  const { vigilance, told, state, pass } = watching(context);
  state.pending = 'work';
  vigilance.diskBlocked(true);
  pass(200);
  vigilance.diskBlocked(false);
  vigilance.member(false);
  pass(200);
  vigilance.member(true);
  vigilance.clientFailed('connection refused');
  pass(200);
  vigilance.heartbeat();
  assert.deepEqual(told, ['trouble: connection refused', 'broker back']);
  pass(20);
  assert.equal(told.at(-1), 'stalled: work');
});
