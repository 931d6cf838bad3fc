/** Row 13: the network between the service and the broker, through a proxy that misbehaves. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { type ProxiedBroker, startProxiedBroker } from './helpers/proxied-broker.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';
import type { Fault } from './helpers/tcp-proxy.ts';

const OFFSET_COMMIT = 8;

/** From the end of a fault until new records are stored: a request times out, and the group forms anew. */
const RECOVERY_LIMIT_MS = 45_000;

const IMPATIENT = {
  LOG_CONSUMER_KAFKA_REQUEST_TIMEOUT: '3s',
  LOG_CONSUMER_KAFKA_CONNECTION_TIMEOUT: '2s',
};

/** So that a fetch fits through 64 KB/s, or byte by byte, within the request timeout. */
const SMALL_FETCHES = {
  LOG_CONSUMER_KAFKA_MAX_BYTES_PER_PARTITION: '16KiB',
  LOG_CONSUMER_KAFKA_MAX_BYTES: '64KiB',
};

interface Case {
  readonly name: string;
  readonly fault: Fault;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the service may end by its watchdog and be started anew. */
  readonly mayGiveUp?: true;
}

const CASES: readonly Case[] = [
  { name: 'latency of 500 ms', fault: { kind: 'latency', ms: 500 } },
  {
    name: '64 KB/s',
    fault: { kind: 'bandwidth', bytesPerSecond: 64_000 },
    env: SMALL_FETCHES,
  },
  {
    name: 'packets of one byte',
    fault: { kind: 'slices', bytes: scaled({ ci: 100_000, full: 2_000_000 }) },
    env: SMALL_FETCHES,
  },
  { name: 'connections reset in the middle of answers', fault: { kind: 'reset', afterBytes: 50_000 } },
  { name: 'commit answers dropped', fault: { kind: 'drop-answer', apiKey: OFFSET_COMMIT } },
  { name: 'black hole', fault: { kind: 'black-hole' }, mayGiveUp: true },
];

let place: ProxiedBroker;
before(async () => {
  place = await startProxiedBroker();
});
after(() => place.stop());

for (const { name, fault, env = {}, mayGiveUp = false } of CASES) {
  test(`row 13: ${name}`, async (t) => {
    const { seed, scene } = await startScene(t, env);
    const faultMs = scaled({ ci: 6000, full: 60_000 });
    const service = scene.start();
    const traffic = scene.traffic({ rate: 2000 });
    await stored(service, 1);
    place.proxy.set(fault);
    await sleep(faultMs);
    const { hits } = place.proxy;
    assert.ok(hits > 0, 'the fault took effect');
    place.proxy.set({ kind: 'none' });
    const healedAt = performance.now();
    const { survivor, restarts } = await recover(scene, service);
    const recoveryMs = performance.now() - healedAt;
    assert.ok(restarts === 0 || mayGiveUp, service.log);
    assert.ok(recoveryMs < RECOVERY_LIMIT_MS, `it took ${recoveryMs} ms`);
    const found = await scene.finish(await traffic.finish(), 120_000);
    assert.doesNotMatch(survivor.log, /position moved/);
    report(t, {
      row: 13,
      failure: `network: ${name}`,
      seed,
      figures: {
        fault_ms: faultMs,
        hits,
        recovery_ms: Math.round(recoveryMs),
        restarts,
        records: found.stored + found.quarantined,
      },
    });
  });
}

async function startScene(t: TestContext, env: Readonly<Record<string, string>>) {
  const { seed, random } = seeded(t);
  t.after(() => place.proxy.set({ kind: 'none' }));
  const scene = await Scene.set(t, {
    name: 'network',
    random,
    bootstrap: place.bootstrap,
    env: { KAFKA_BROKERS: place.proxied, ...IMPATIENT, ...env },
  });
  return { seed, random, scene };
}

function stored(service: ServiceProcess, records: number): Promise<void> {
  return waitFor(
    `${records} records to be stored`,
    async () => (await service.metric('logs_processed_total')) >= records,
  );
}

/**
 * Waits until the service stores again, as a supervisor would have it: a service that gives up with
 * STALLED is started anew, any other end is a failure.
 */
async function recover(
  scene: Scene,
  service: ServiceProcess,
): Promise<{ readonly survivor: ServiceProcess; readonly restarts: number }> {
  const isDead = (): boolean => service.child.exitCode !== null;
  const before = isDead() ? 0 : await service.metric('logs_processed_total');
  await waitFor(
    'the service to go on or to give up',
    async () => isDead() || (await service.metric('logs_processed_total').catch(() => 0)) > before,
    RECOVERY_LIMIT_MS,
  );
  if (!isDead()) return { survivor: service, restarts: 0 };
  assert.match(service.log, /"code":"STALLED"/);
  const survivor = scene.start();
  await stored(survivor, 1);
  return { survivor, restarts: 1 };
}
