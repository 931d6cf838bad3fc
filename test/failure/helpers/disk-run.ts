/** One run of a service whose disk fails: until it ends by itself, or until all work is done and it is stopped. */
import assert from 'node:assert/strict';
import { loadCheckpoint } from '../../../src/storage/checkpoint.ts';
import { type Exit, type ServiceProcess, waitFor } from '../../helpers/service.ts';
import { hasEnded, type Scene, waitUntilReading } from './scene.ts';

/** The value of a metric; undefined once the service has ended. */
async function metricOf(service: ServiceProcess, name: string): Promise<number | undefined> {
  try {
    return await service.metric(name);
  } catch (error) {
    // A process that dies while it is asked is what these tests are about.
    if (hasEnded(service) || (await endsSoon(service))) return undefined;
    throw error;
  }
}

async function endsSoon(service: ServiceProcess): Promise<boolean> {
  const timeout = new Promise<false>((resolve) => setTimeout(resolve, 5000, false).unref());
  return Promise.race([service.exited.then(() => true), timeout]);
}

/**
 * Waits until everything is committed and every closed file was archived or given up, and stops the
 * service. At every look the group must not be ahead of the checkpoint.
 */
export async function runToEnd(scene: Scene, service: ServiceProcess): Promise<Exit> {
  await waitFor('the service to commit everything, or to end', async () => {
    await assertNothingCommittedBeyondCheckpoint(scene);
    return hasEnded(service) || (await scene.isCommitted());
  });
  // Before that, what an earlier run committed proves nothing, and the service does not heed a stop yet.
  await waitUntilReading(service);
  await waitFor('the closed files to be archived', async () => {
    if ((await metricOf(service, 'log_consumer_upkeep_up')) === 0) return false;
    const backlog = await metricOf(service, 'log_consumer_seal_backlog_files');
    return backlog === undefined || backlog === 0;
  });
  const exit = await service.stop();
  await assertNothingCommittedBeyondCheckpoint(scene);
  return exit;
}

/** The group first, the checkpoint after it: what was committed before is in the checkpoint already. */
export async function assertNothingCommittedBeyondCheckpoint(scene: Scene): Promise<void> {
  const committed = await scene.committed();
  const partitions = loadCheckpoint(scene.directory)?.checkpoint.partitions ?? {};
  for (const [partition, offset] of committed) {
    const durable = partitions[`${scene.topic}/${partition}`]?.next_offset ?? 0;
    assert.ok(offset <= durable, `partition ${partition}: ${offset} is committed, ${durable} is durable`);
  }
}
