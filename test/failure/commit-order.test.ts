/** The broker is never told that a record is done before its line is durable. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { breakBuild } from '../helpers/broken-build.ts';
import { waitFor } from '../helpers/service.ts';
import { committedOffsets, filedOffsets } from './helpers/group-offsets.ts';
import { report, reportCaught } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** Offsets are committed when their lines go to the writer. */
const COMMIT_BEFORE_CHECKPOINT = {
  'src/pipeline/ingest.ts': {
    replace: 'this.#parts.acknowledgements.handed({ topic, partition, nextOffset });',
    by: `this.#parts.acknowledgements.handed({ topic, partition, nextOffset });
    this.#parts.committer.commit(0, [{ topic, partition, nextOffset }]);`,
  },
};

test('a killed service has never committed more than its files hold', async (t) => {
  const kills = scaled({ ci: 6, full: 100 });
  const { seed, ahead, records } = await killAndCompare(t, kills);
  assert.equal(ahead, 0, 'partitions whose commit was ahead of the files');
  report(t, {
    row: 0,
    failure: 'commit compared with the checkpoint after a SIGKILL',
    seed,
    figures: { kills, records },
  });
});

test('a build that commits before the checkpoint is noticed by that', async (t) => {
  const build = breakBuild(COMMIT_BEFORE_CHECKPOINT);
  t.after(() => build.remove());
  const { ahead } = await killAndCompare(t, 3, build.directory);
  assert.ok(ahead > 0);
  reportCaught(t, { build: 'commit before checkpoint', evidence: `${ahead} partitions ahead of the files` });
});

/** Kills the service under load, and counts the partitions where the group is ahead of the files. */
async function killAndCompare(t: TestContext, kills: number, build?: string) {
  const { seed, random } = seeded(t);
  const options = { name: 'commit-order', random };
  const scene = await Scene.set(t, build === undefined ? options : { ...options, build });
  const { bootstrap, groupId, topic, directory } = scene;
  const traffic = scene.traffic({ rate: 10_000 });
  let ahead = 0;
  for (let killed = 0; killed < kills; killed += 1) {
    const service = scene.start();
    await waitFor(
      'the service to commit something',
      async () => (await service.metric('log_consumer_commits_total')) > 0,
    );
    await sleep(random.below(900));
    service.kill('SIGKILL');
    await service.exited;
    await scene.expelDeadMembers();
    const filed = filedOffsets(directory, topic);
    const committed = await committedOffsets(bootstrap, groupId, topic);
    assert.ok(committed.size > 0);
    for (const [partition, offset] of committed) {
      if (offset > (filed.get(partition) ?? 0)) ahead += 1;
    }
  }
  const produced = await traffic.finish();
  return { seed, ahead, records: produced.reduce((sum, count) => sum + count, 0) };
}
