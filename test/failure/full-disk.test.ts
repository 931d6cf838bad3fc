import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../../src/core/errors.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { assertNothingCommittedBeyondCheckpoint } from './helpers/disk-run.ts';
import { memberIds } from './helpers/group-members.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene, waitUntilReading } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const RESUME_LIMIT_MS = 10_000;
/** Room for what all rounds store: nothing removes old files. */
const DISK_MIB = scaled({ ci: 16, full: 128 });
/** Longer than the session of the consumer group lasts without heartbeats. */
const FULL_MS = 8000;

test('row 6: a full disk pauses the service inside its group until there is room', async (t) => {
  const { seed, random } = seeded(t);
  const disk = mountSmallDisk(t);
  if (disk === undefined) return t.skip('mounting a small tmpfs needs root');
  const scene = await Scene.set(t, { name: 'full-disk', random, directory: join(disk, 'logs') });
  const service = scene.start();
  await waitUntilReading(service);
  const before = await membership(scene, service);
  const rounds = scaled({ ci: 1, full: 10 });
  const traffic = scene.traffic({ rate: 3000 });
  let slowestMs = 0;
  for (let round = 0; round < rounds; round += 1) {
    await isReady(service, true);
    slowestMs = Math.max(slowestMs, await fillAndFree(scene, service, disk));
  }
  assert.deepEqual(await membership(scene, service), before);
  assert.ok(slowestMs < RESUME_LIMIT_MS, `going on took ${slowestMs} ms`);
  await scene.finish(await traffic.finish());
  report(t, {
    row: 6,
    failure: 'disk full',
    seed,
    figures: { rounds, slowest_resume_ms: Math.round(slowestMs), records: traffic.total },
  });
});

/** @returns how long the service took to go on once there was room, in ms */
async function fillAndFree(scene: Scene, service: ServiceProcess, disk: string): Promise<number> {
  const ballast = join(disk, 'ballast');
  await fillForGood(service, ballast);
  assert.match((await service.get('/health/ready')).body, /disk: .*ENOSPC/);
  assert.equal(await service.metric('log_consumer_disk_blocked'), 1);
  const stuckAt = await service.metric('log_consumer_checkpoint_sequence');
  await sleep(FULL_MS);
  assert.equal(await service.metric('log_consumer_checkpoint_sequence'), stuckAt);
  await assertNothingCommittedBeyondCheckpoint(scene);
  assert.equal((await service.get('/health/live')).status, 200);
  const freedAt = performance.now();
  rmSync(ballast);
  await isReady(service, true);
  await waitFor(
    'the next checkpoint',
    async () => (await service.metric('log_consumer_checkpoint_sequence')) > stuckAt,
  );
  return performance.now() - freedAt;
}

/** Whoever left the group and came back is another member, after a rebalance. */
async function membership({ bootstrap, groupId }: Scene, service: ServiceProcess): Promise<unknown> {
  return {
    members: await memberIds(bootstrap, groupId),
    rebalances: await service.metric('log_consumer_rebalances_total'),
    assigned: await service.metric('log_consumer_assigned_partitions'),
  };
}

function isReady(service: ServiceProcess, ready: boolean): Promise<void> {
  return waitFor(
    `the service to be ${ready ? 'ready' : 'blocked'}`,
    async () => ((await service.get('/health/ready')).status === 200) === ready,
  );
}

function mountSmallDisk(t: TestContext): string | undefined {
  const disk = mkdtempSync(join(tmpdir(), 'full-disk-'));
  t.after(() => {
    // Lazily, since a service that a failed test left behind may still be at work in it.
    spawnSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', disk]);
  return status === 0 ? disk : undefined;
}

/** Until nothing frees room any more: a file that was being compressed is given up, and removed. */
async function fillForGood(service: ServiceProcess, ballast: string): Promise<void> {
  for (let sequence = -1; ; ) {
    fill(ballast);
    await isReady(service, false);
    const before = sequence;
    sequence = await service.metric('log_consumer_checkpoint_sequence');
    if (sequence === before) return;
    await sleep(1000);
  }
}

/** Takes all the room that there is. */
function fill(path: string): void {
  const page = Buffer.alloc(4096);
  const descriptor = openSync(path, 'a');
  try {
    for (;;) writeSync(descriptor, page);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
}
