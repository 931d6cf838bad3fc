import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const MEBIBYTE = 1024 * 1024;
/** What a minute of failing connections may add to the memory of the service. */
const FLAT_BYTES = 64 * MEBIBYTE;

test('row 11: a broker that is killed and comes back', async (t) => {
  const { seed, random } = seeded(t);
  const broker = await startKafka();
  t.after(() => broker.stop());
  const scene = await Scene.set(t, { name: 'outage', random, bootstrap: broker.bootstrap });
  const service = scene.start();
  const traffic = scene.traffic({ rate: 3000 });
  await stored(service, 10_000);
  const before = await residentBytes(service);
  let peak = 0;
  let slowestMs = 0;
  const outages = [500, scaled({ ci: 10_000, full: 60_000 })];
  for (const outageMs of outages) {
    broker.kill('SIGKILL');
    await broker.ended();
    for (let second = 0; second < outageMs / 1000; second += 1) {
      await sleep(Math.min(1000, outageMs));
      peak = Math.max(peak, await residentBytes(service));
    }
    if (outageMs > 5000) await assertUnready(service);
    await broker.restart();
    const backAt = performance.now();
    await stored(service, (await service.metric('logs_processed_total')) + 5000);
    slowestMs = Math.max(slowestMs, performance.now() - backAt);
  }
  assert.equal((await service.get('/health/ready')).status, 200);
  assert.ok(peak - before < FLAT_BYTES, `memory grew from ${before} to ${peak} bytes`);
  const found = await scene.finish(await traffic.finish(), 120_000);
  report(t, {
    row: 11,
    failure: 'broker killed, down for a while, and restarted',
    seed,
    figures: {
      longest_outage_ms: Math.max(...outages),
      slowest_to_go_on_ms: Math.round(slowestMs),
      memory_before_mib: Math.round(before / MEBIBYTE),
      memory_peak_mib: Math.round(peak / MEBIBYTE),
      records: found.stored + found.quarantined,
    },
  });
});

function residentBytes(service: ServiceProcess): Promise<number> {
  return service.metric('process_resident_memory_bytes');
}

function stored(service: ServiceProcess, records: number): Promise<void> {
  return waitFor(
    `the service to have stored ${records} records`,
    async () => (await service.metric('logs_processed_total')) >= records,
    90_000,
  );
}

async function assertUnready(service: ServiceProcess): Promise<void> {
  const { status, body } = await service.get('/health/ready');
  assert.equal(status, 503);
  assert.match(body, /kafka: /);
}
