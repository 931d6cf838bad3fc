import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer } from 'kafkajs';
import type { Random } from '../../src/generate/random.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import { kafkaClient, withAdmin } from '../helpers/kafka.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { report, reportCaught } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const REJOIN_LIMIT_MS = 5000;

/** A queue that one fetch of the six partitions overfills. */
const SMALL_QUEUE = {
  LOG_CONSUMER_TRANSFORM_QUEUE_BYTES: '64KiB',
  LOG_CONSUMER_TRANSFORM_TASK_BYTES: '8KiB',
  LOG_CONSUMER_TRANSFORM_IN_FLIGHT_PER_WORKER: '1',
  LOG_CONSUMER_KAFKA_MAX_BYTES_PER_PARTITION: '64KiB',
};

/** Every task takes 200 ms more: one fetch keeps the pool busy for about 10 s. */
const SLOW_TRANSFORM = {
  'src/transform/unit.ts': {
    replace: 'transform(task: TransformTask): TransformResult {',
    by: 'transform(task: TransformTask): TransformResult {\n    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);',
  },
};

/** Results of tasks from before a rebalance are taken as if nothing had happened. */
const NO_FENCE = {
  'src/pipeline/ingest.ts': {
    replace: 'if (entry.epoch !== this.#ledger.epoch) return false;',
    by: '',
  },
  'src/consume/ledger.ts': {
    replace: "invariant(entry.epoch === this.#epoch, 'an entry of an older epoch cannot be resolved');",
    by: 'if (entry.epoch !== this.#epoch) return [{ ...entry, result }];',
  },
};

test('row 10: members join and leave while the queue is full', async (t) => {
  const { seed, random } = seeded(t);
  const rounds = scaled({ ci: 2, full: 20 });
  const records = scaled({ ci: 12_000, full: 120_000 });
  const slowestMs = await rebalance(t, { random, rounds, records, edits: SLOW_TRANSFORM });
  assert.ok(slowestMs < REJOIN_LIMIT_MS, `joining again took ${slowestMs} ms`);
  report(t, {
    row: 10,
    failure: 'rebalance while the queue is full',
    seed,
    figures: { rebalances: 2 * rounds, slowest_rejoin_ms: Math.round(slowestMs), records },
  });
});

test('a build without the fence of epochs fails row 10', async (t) => {
  const { random } = seeded(t);
  const edits = { ...SLOW_TRANSFORM, ...NO_FENCE };
  // The writer keeps accounts of its own, and ends the process before it would store a record twice. A few
  // rounds, since all results that were under way can come in before the rebalance of a single one.
  const rebalanced = rebalance(t, { random, rounds: 4, records: 12_000, edits });
  const signs = /BUG: unit of|is there twice|is lost/;
  const evidence = await rebalanced.then(
    () => '',
    (error: unknown) => signs.exec(String(error))?.[0] ?? String(error),
  );
  assert.match(evidence, signs);
  reportCaught(t, { build: 'no epoch fence', evidence });
});

interface Rebalances {
  readonly random: Random;
  readonly rounds: number;
  readonly records: number;
  readonly edits: Parameters<typeof breakBuild>[0];
}

/** Lets another member join and leave, and checks that every record is there once. Returns the longest wait. */
async function rebalance(t: TestContext, { random, rounds, records, edits }: Rebalances): Promise<number> {
  const build = breakBuild(edits);
  t.after(() => build.remove());
  const scene = await Scene.set(t, {
    name: 'full-queue',
    random,
    build: build.directory,
    env: SMALL_QUEUE,
  });
  const produced = await scene.traffic({ atLeast: records }).finish();
  const service = scene.start();
  let slowestMs = 0;
  try {
    await queueFull(service);
    for (let round = 0; round < rounds; round += 1) {
      slowestMs = Math.max(slowestMs, await joinAndLeave(t, scene, service, random));
    }
    await scene.finish(produced, 180_000);
  } catch (error) {
    await Promise.race([service.exited, sleep(5000)]);
    throw new Error(`${error}\n${service.log}`);
  }
  return slowestMs;
}

/** Returns how long the service took to join again, the longer of two times. */
async function joinAndLeave(
  t: TestContext,
  scene: Scene,
  service: ServiceProcess,
  random: Random,
): Promise<number> {
  const memberId = await memberOf(scene, 1);
  const joinedAt = performance.now();
  const guest = await joinGroup(t, scene);
  const joinedMs = performance.now() - joinedAt;
  assert.equal(await memberOf(scene, 2), memberId, 'the service is still the same member');
  await sleep(random.below(1000));
  const leftAt = performance.now();
  await guest.disconnect();
  await waitFor('all partitions to come back', () => assignedAgain(service));
  const leftMs = performance.now() - leftAt;
  assert.equal(await memberOf(scene, 1), memberId, 'the service is still the same member');
  await queueFull(service);
  return Math.max(joinedMs, leftMs);
}

function queueFull(service: ServiceProcess): Promise<void> {
  return waitFor(
    'the queue to be full',
    async () => (await service.metric('log_consumer_queue_bytes')) > 56 * 1024,
  );
}

async function assignedAgain(service: ServiceProcess): Promise<boolean> {
  return (await service.metric('log_consumer_assigned_partitions')) === 6;
}

/** Joins the group as somebody who reads and never commits; resolves once the group is complete. */
async function joinGroup(t: TestContext, { bootstrap, groupId, topic }: Scene): Promise<Consumer> {
  const consumer = kafkaClient(bootstrap).consumer({ groupId, maxWaitTimeInMs: 100 });
  t.after(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
  await joined;
  return consumer;
}

/** The member id of the service, in a group of so many members. */
async function memberOf({ bootstrap, groupId }: Scene, members: number): Promise<string | undefined> {
  const { groups } = await withAdmin(bootstrap, (admin) => admin.describeGroups([groupId]));
  assert.equal(groups[0]?.members.length, members);
  return groups[0]?.members.find(({ clientId }) => clientId === 'log-consumer')?.memberId;
}
