import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/generate/random.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import { checkExactness, type ExactnessReport } from '../helpers/exactness.ts';
import { waitFor } from '../helpers/service.ts';
import { report, reportCaught } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** Beyond the session timeout of 6 s, and long enough for the other to have read on. */
const STANDSTILL_MS = 13_000;

/** So that at almost any moment there is something that Kafka has not taken. */
const RARE_CHECKPOINTS = { LOG_CONSUMER_OUTPUT_CHECKPOINT_INTERVAL: '3s' };

interface Outcome {
  readonly found: ExactnessReport;
  readonly problems: readonly string[];
  readonly rollBacks: number;
}

/** Two instances, one of which stands still under load while the other takes its partitions over. */
async function standStill(t: TestContext, random: Random, rounds: number, build?: string): Promise<Outcome> {
  const options = { name: 'zombie', random, env: RARE_CHECKPOINTS };
  const scene = await Scene.set(t, build === undefined ? options : { ...options, build });
  const traffic = scene.traffic({ rate: 5000 });
  const zombie = scene.start({ INSTANCE_ID: 'zombie' });
  const other = scene.start({ INSTANCE_ID: 'other' });
  const isShared = async (): Promise<boolean> => {
    const held = await Promise.all(
      [zombie, other].map((service) => service.metric('log_consumer_assigned_partitions')),
    );
    return held.every((count) => count === scene.partitions / 2);
  };
  await waitFor('the partitions to be shared', isShared);
  for (let round = 0; round < rounds; round += 1) {
    await sleep(500 + random.below(1000));
    zombie.kill('SIGSTOP');
    await sleep(STANDSTILL_MS);
    // Until it has noticed, it shows the partitions that it had.
    const rebalances = await other.metric('log_consumer_rebalances_total');
    zombie.kill('SIGCONT');
    await waitFor(
      'the zombie to be back',
      async () => (await other.metric('log_consumer_rebalances_total')) > rebalances && (await isShared()),
    );
  }
  const produced = await traffic.finish();
  await scene.waitUntilCommitted(120_000);
  const rollBacks = await zombie.metric('log_consumer_roll_backs_total');
  await Promise.all([zombie.stop(), other.stop()]);
  const { problems } = await verify(scene.directory);
  return { found: await checkExactness(scene.directory, produced), problems, rollBacks };
}

test('row 9: an instance that stood still beyond its session keeps nothing that others read', async (t) => {
  const { seed, random } = seeded(t);
  const rounds = scaled({ ci: 1, full: 10 });
  const { found, problems, rollBacks } = await standStill(t, random, rounds);
  assert.deepEqual([found.problems, problems], [[], []]);
  assert.ok(rollBacks > 0, 'there was something to be cut, or the test shows nothing');
  const figures = { rounds, rollBacks, stored: found.stored };
  report(t, { row: 9, failure: 'an instance stands still beyond its session', seed, figures });
});

test('a build that does not cut what others read is noticed by row 9', async (t) => {
  const build = breakBuild({
    'src/pipeline/membership.ts': { replace: 'if (handOver.cut) await this.#rollBack();', by: '' },
  });
  t.after(() => build.remove());
  const { found, problems } = await standStill(t, seeded(t).random, 1, build.directory);
  assert.ok(found.duplicated > 0, 'records were stored by both');
  assert.match(problems.join('\n'), /are in the files of/);
  reportCaught(t, { build: 'no cut of what others read', evidence: `${found.duplicated} records twice` });
});
