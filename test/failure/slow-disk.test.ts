import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from '../helpers/service.ts';
import { assertNothingCommittedBeyondCheckpoint } from './helpers/disk-run.ts';
import { FaultInjector, faultLibrary } from './helpers/fault-injector.ts';
import { memberIds } from './helpers/group-members.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene, waitUntilReading } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const MIB = 1024 * 1024;
/** A call takes so long in the first half of the time; a checkpoint is three syncs after each other. */
const DELAYS_MS = [50, 200] as const;
/** And so long in the second: no checkpoint, and so no commit, within a session of the consumer group. */
const CRAWL_MS = 2500;
const POLL_MS = 500;
/** Little, so that it fills in a short run. */
const QUEUE_BYTES = MIB;
const SETTINGS = {
  LOG_CONSUMER_TRANSFORM_QUEUE_BYTES: '1MiB',
  LOG_CONSUMER_TRANSFORM_TASK_BYTES: '64KiB',
  // No file is closed meanwhile: archiving one waits for the disk on the thread that sends the heartbeats.
  MAX_LOG_FILE_SIZE_MB: '1000',
};
/** How much more the process may hold than when the disk was fast. */
const GROWTH_LIMIT_BYTES = 150 * MIB;

test('row 16: a slow disk at full rate costs neither memory nor membership', async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const scene = await Scene.set(t, { name: 'slow-disk', random, env: SETTINGS });
  const injector = new FaultInjector(t, library, scene.directory);
  const service = scene.start(injector.env);
  await waitUntilReading(service);
  const traffic = scene.traffic({ rate: 20_000 });
  await sleep(2000);
  const before = await stateOf(scene, service);
  const fastBytes = await residentBytes(service);
  let mostBytes = fastBytes;
  let mostQueued = 0;
  const seconds = scaled({ ci: 24, full: 300 });
  const startedAt = performance.now();
  const elapsedMs = (): number => performance.now() - startedAt;
  for (let round = 0; elapsedMs() < 1000 * seconds; round += 1) {
    const crawls = elapsedMs() > 500 * seconds;
    injector.delay((crawls ? undefined : DELAYS_MS[round % 2]) ?? CRAWL_MS, ['write', 'sync']);
    await sleep(POLL_MS);
    mostBytes = Math.max(mostBytes, await residentBytes(service));
    mostQueued = Math.max(mostQueued, await service.metric('log_consumer_queue_bytes'));
    await assertNothingCommittedBeyondCheckpoint(scene);
  }
  assert.deepEqual(await stateOf(scene, service), before);
  injector.delay(0, []);
  const grown = mostBytes - fastBytes;
  assert.ok(grown < GROWTH_LIMIT_BYTES, `${mostBytes} bytes, ${fastBytes} before`);
  assert.ok(mostQueued > QUEUE_BYTES / 2, `the disk was fast enough: ${mostQueued} bytes were queued`);
  assert.ok(mostQueued <= QUEUE_BYTES, `${mostQueued} bytes were queued`);
  await scene.finish(await traffic.finish());
  report(t, {
    row: 16,
    failure: 'slow disk at full rate',
    seed,
    figures: {
      seconds,
      grown_mib: Math.round(grown / MIB),
      most_queued_bytes: mostQueued,
      records: traffic.total,
    },
  });
});

async function stateOf({ bootstrap, groupId }: Scene, service: ServiceProcess): Promise<unknown> {
  return {
    members: await memberIds(bootstrap, groupId),
    rebalances: await service.metric('log_consumer_rebalances_total'),
  };
}

function residentBytes(service: ServiceProcess): Promise<number> {
  return service.metric('process_resident_memory_bytes');
}
