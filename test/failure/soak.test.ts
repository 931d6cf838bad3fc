import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/generate/random.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import type { ServiceProcess } from '../helpers/service.ts';
import { FaultInjector, faultLibrary } from './helpers/fault-injector.ts';
import { PassingFaults } from './helpers/passing-faults.ts';
import { ProcessSamples } from './helpers/process-samples.ts';
import { type ProxiedBroker, startProxiedBroker } from './helpers/proxied-broker.ts';
import { report, reportCaught } from './helpers/report.ts';
import { isFullScale, scaled } from './helpers/scale.ts';
import { Scene, waitUntilReading } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** Of the most that this machine carries, with the producer and the broker on it. */
const SHARE_OF_MAXIMUM = 0.7;
const CI_RATE = 3000;
/** How much a figure may grow from the second third of the run to the last. */
const GROWTH = { memory: 1.1, descriptors: 3 };

let place: ProxiedBroker;
before(async () => {
  place = await startProxiedBroker();
});
after(() => place.stop());

test('row 23: under load and random faults memory and descriptors stay flat', async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const scene = await setScene(t, random, { fileMib: scaled({ ci: 0.5, full: 16 }) });
  const injector = new FaultInjector(t, library, scene.directory);
  const watched = scene.start({ INSTANCE_ID: 'watched', ...injector.env });
  await waitUntilReading(watched);
  const traffic = scene.traffic(isFullScale() ? {} : { rate: CI_RATE });
  const maximum = isFullScale() ? await sustainedRate(watched) : CI_RATE;
  if (isFullScale()) traffic.setRate(SHARE_OF_MAXIMUM * maximum);
  const seconds = scaled({ ci: 24, full: 1800 });
  const samples = new ProcessSamples(watched.child.pid ?? 0);
  t.after(() => samples.stop());
  const faults = new PassingFaults({ scene, watched, injector, proxy: place.proxy, random });
  for (const endsAt = performance.now() + seconds * 1000; performance.now() < endsAt; ) {
    await faults.next();
    await sleep(500 + random.below(scaled({ ci: 500, full: 4000 })));
    assert.equal(watched.child.exitCode, null, watched.log);
  }
  samples.stop();
  const produced = await traffic.finish();
  const memory = samples.trend('residentBytes');
  const descriptors = samples.trend('descriptors');
  // Seconds after the start, memory still grows towards what the load needs.
  if (isFullScale()) assert.ok(memory.after < memory.before * GROWTH.memory, JSON.stringify(memory));
  assert.ok(descriptors.after <= descriptors.before + GROWTH.descriptors, JSON.stringify(descriptors));
  await scene.finish(produced, 180_000);
  report(t, {
    row: 23,
    failure: 'random faults for a long time at 70 % of the maximum rate',
    seed,
    figures: {
      seconds,
      maximum_per_second: Math.round(maximum),
      produced: traffic.total,
      ...faults.counts,
      memory_mib: `${mib(memory.before)} then ${mib(memory.after)}, at most ${mib(memory.most)}`,
      descriptors: `${descriptors.before} then ${descriptors.after}, at most ${descriptors.most}`,
    },
  });
});

test('a build that forgets to close rotated files is noticed by row 23', async (t) => {
  const { random } = seeded(t);
  const build = breakBuild({
    'src/write/active-segment.ts': { replace: 'closeSync(this.#descriptor);', by: '' },
  });
  t.after(() => build.remove());
  const scene = await setScene(t, random, { build: build.directory });
  const service = scene.start();
  await waitUntilReading(service);
  scene.traffic({ rate: 2 * CI_RATE });
  const samples = new ProcessSamples(service.child.pid ?? 0);
  t.after(() => samples.stop());
  await sleep(20_000);
  samples.stop();
  const { before: first, after: last } = samples.trend('descriptors');
  assert.ok(last > first + GROWTH.descriptors, `${first} descriptors, then ${last}`);
  reportCaught(t, { build: 'rotated files stay open', evidence: `${first} descriptors, then ${last}` });
});

function setScene(
  t: TestContext,
  random: Random,
  { build, fileMib }: { readonly build?: string; readonly fileMib?: number },
): Promise<Scene> {
  return Scene.set(t, {
    name: 'soak',
    random,
    bootstrap: place.bootstrap,
    env: {
      KAFKA_BROKERS: place.proxied,
      ...(fileMib === undefined ? {} : { MAX_LOG_FILE_SIZE_MB: String(fileMib) }),
    },
    ...(build === undefined ? {} : { build }),
  });
}

/** Records per second that go all the way from the producer to durable files when nobody holds them back. */
async function sustainedRate(service: ServiceProcess): Promise<number> {
  await sleep(15_000);
  const before = await service.metric('logs_processed_total');
  const startedAt = performance.now();
  await sleep(60_000);
  const stored = (await service.metric('logs_processed_total')) - before;
  return stored / ((performance.now() - startedAt) / 1000);
}

function mib(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
