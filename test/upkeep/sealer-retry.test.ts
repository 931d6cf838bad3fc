import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { Circuit } from '../../src/resilience/circuit.ts';
import { sealSegment } from '../../src/upkeep/seal/seal-segment.ts';
import { isSealOutage, type SealerOptions } from '../../src/upkeep/sealer.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { writeLogDirectory } from '../helpers/log-directory.ts';
import { SealerHarness, sealOptions } from '../helpers/sealer-harness.ts';

/** A disk that refuses until the test says otherwise. */
class FailingDisk {
  failing = true;
  attempts = 0;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  readonly seal: SealerOptions['seal'] = async (path, signal) => {
    this.attempts += 1;
    if (this.failing) throw new Error('EIO: i/o error, write');
    return sealSegment(path, sealOptions(this.#directory), signal);
  };
}

function circuitWith(states: string[], firstMs: number): SealerOptions['circuit'] {
  return new Circuit({
    failures: 3,
    pauses: { firstMs, maxMs: firstMs * 2 },
    isOutage: isSealOutage,
    clock: systemClock,
    onChange: (state) => states.push(state),
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2);
}

test('what failed is tried again after growing pauses, until it is done', async (context) => {
  const directory = await writeLogDirectory(context);
  const disk = new FailingDisk(directory);
  const harness = new SealerHarness(directory, {
    seal: disk.seal,
    concurrency: 1,
    pauses: { firstMs: 4, maxMs: 32 },
  });
  harness.sealAll();
  await until(() => harness.failures.length >= 200);
  const pauses = harness.retries.map((pause) => pause ?? 0);
  assert.ok(pauses.every((pause) => pause > 0 && pause <= 32));
  assert.ok(Math.max(...pauses) > 4);
  disk.failing = false;
  await harness.idle();
  assert.ok(harness.sealed.length > 1);
  assert.deepEqual((await verify(directory)).problems, []);
});

test('while the disk refuses everything, single files probe it', async (context) => {
  const directory = await writeLogDirectory(context);
  const disk = new FailingDisk(directory);
  const states: string[] = [];
  const harness = new SealerHarness(directory, {
    seal: disk.seal,
    concurrency: 4,
    circuit: circuitWith(states, 600),
  });
  harness.sealAll();
  await until(() => states.at(-1) === 'open');
  // The files that were in work when it opened go on to their end.
  await sleep(100);
  const atOpening = disk.attempts;
  await sleep(100);
  assert.equal(disk.attempts, atOpening, 'nothing is tried while the circuit is open');
  await until(() => states.length >= 5);
  // The files that were in work when it opened, and one for each probe.
  assert.ok(disk.attempts <= atOpening + states.filter((state) => state === 'half_open').length);
  disk.failing = false;
  await harness.idle();
  assert.deepEqual(states.slice(0, 3), ['open', 'half_open', 'open']);
  assert.equal(states.at(-1), 'closed');
  assert.deepEqual((await verify(directory)).problems, []);
});

test('files that are gone or were altered do not open the circuit', async (context) => {
  const directory = await writeLogDirectory(context);
  const states: string[] = [];
  const harness = new SealerHarness(directory, { circuit: circuitWith(states, 60_000) });
  for (let number = 0; number < 5; number += 1) harness.add(`${directory}/archive/none-${number}`);
  await harness.idle();
  assert.deepEqual(harness.retries, [null, null, null, null, null]);
  assert.deepEqual(states, []);
});

test('a stop waits neither for a retry nor for a probe', async (context) => {
  const directory = await writeLogDirectory(context);
  const disk = new FailingDisk(directory);
  const states: string[] = [];
  const harness = new SealerHarness(directory, {
    seal: disk.seal,
    circuit: circuitWith(states, 60_000),
    pauses: { firstMs: 1, maxMs: 1 },
  });
  harness.sealAll();
  await until(() => states.includes('open'));
  const startedAt = performance.now();
  const failures = harness.failures.length;
  await harness.sealer.stop();
  assert.ok(performance.now() - startedAt < 1000);
  rmSync(directory, { recursive: true });
  await sleep(20);
  assert.ok(harness.failures.length <= failures + 2, 'a wait that was ended is no failure');
});
