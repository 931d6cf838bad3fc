import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { Circuit, type CircuitOptions } from '../../src/resilience/circuit.ts';

class Outage extends Error {}

const NEVER = new AbortController().signal;

function circuitWith(options: Partial<CircuitOptions> = {}): { circuit: Circuit; changes: string[] } {
  const changes: string[] = [];
  const circuit = new Circuit({
    failures: 3,
    pauses: { firstMs: 40, maxMs: 80 },
    isOutage: (error) => error instanceof Outage,
    clock: systemClock,
    onChange: (state, error) =>
      changes.push(error === undefined ? state : `${state}: ${(error as Error).message}`),
    ...options,
  });
  return { circuit, changes };
}

async function fail(circuit: Circuit, message = 'down'): Promise<void> {
  const attempt = () => circuit.run(() => Promise.reject(new Outage(message)), NEVER);
  await assert.rejects(attempt, { message });
}

test('it opens at the last of so many failures in a row, and a success between them counts', async () => {
  const { circuit, changes } = circuitWith();
  await fail(circuit);
  await fail(circuit);
  assert.equal(await circuit.run(async () => 'fine', NEVER), 'fine');
  await fail(circuit);
  await fail(circuit);
  assert.equal(circuit.state, 'closed');
  await fail(circuit, 'still down');
  assert.equal(circuit.state, 'open');
  assert.deepEqual(changes, ['open: still down']);
});

test('errors that are no outage pass and count for nothing', async () => {
  const { circuit, changes } = circuitWith({ failures: 1 });
  await assert.rejects(
    circuit.run(() => Promise.reject(new TypeError('a bug')), NEVER),
    TypeError,
  );
  assert.deepEqual([circuit.state, changes], ['closed', []]);
});

test('while it is open everybody waits, one probes, and its success lets all through', async () => {
  const { circuit, changes } = circuitWith({ failures: 1 });
  await fail(circuit);
  const openedAt = performance.now();
  const log: string[] = [];
  let running = 0;
  const attempt = async (): Promise<void> => {
    running += 1;
    log.push(`begins as ${running} in state ${circuit.state}`);
    await sleep(20);
    running -= 1;
  };
  await Promise.all([1, 2, 3].map(() => circuit.run(attempt, NEVER)));
  assert.ok(performance.now() - openedAt >= 20);
  assert.deepEqual(log, [
    'begins as 1 in state half_open',
    'begins as 1 in state closed',
    'begins as 2 in state closed',
  ]);
  assert.deepEqual(changes, ['open: down', 'half_open: down', 'closed']);
});

test('a probe that fails opens it again, for a longer time, and the next caller waits for that', async () => {
  const { circuit, changes } = circuitWith({ failures: 1, pauses: { firstMs: 60, maxMs: 240 } });
  await fail(circuit);
  const startedAt = performance.now();
  await Promise.all([fail(circuit), fail(circuit)]);
  // At least half of 60 ms and half of 120 ms.
  assert.ok(performance.now() - startedAt >= 85);
  assert.deepEqual(changes, ['open: down', 'half_open: down', 'open: down', 'half_open: down', 'open: down']);
});

test('a wait ends with its signal', async () => {
  const { circuit } = circuitWith({ failures: 1, pauses: { firstMs: 60_000, maxMs: 60_000 } });
  await fail(circuit);
  const controller = new AbortController();
  const waiting = circuit.run(async () => 'never', controller.signal);
  setTimeout(() => controller.abort(), 10);
  await assert.rejects(waiting, { name: 'AbortError' });
  await assert.rejects(
    circuit.run(async () => 'never', controller.signal),
    { name: 'AbortError' },
  );
});

test('a wall clock that is set back an hour keeps nothing open', async (context: TestContext) => {
  const { circuit } = circuitWith({ failures: 1 });
  await fail(circuit);
  const wall = Date.now();
  context.mock.method(Date, 'now', () => wall - 3_600_000);
  assert.equal(await circuit.run(async () => 'fine', NEVER), 'fine');
});
