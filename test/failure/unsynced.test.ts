import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { breakBuild } from '../helpers/broken-build.ts';
import { waitFor } from '../helpers/service.ts';
import { committedBeyond, goOnIn } from './helpers/aftermath.ts';
import { type Backlog, fillTopic } from './helpers/backlog.ts';
import { ForgetfulDisk } from './helpers/forgetful-disk.ts';
import { readGroupCommits } from './helpers/group-commits.ts';
import { report, reportCaught } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { waitUntilReading } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';
import { shimLibrary } from './helpers/shim-library.ts';

/** Enough for several rotations of the small files. */
const RECORDS = 3000;

/** Each leaves out one of the syncs without which a power loss can take what was committed. */
const BROKEN = [
  {
    build: 'no fsync',
    file: 'src/write/active-segment.ts',
    replace: 'fdatasyncAsync(this.#descriptor)',
    by: 'Promise.resolve()',
  },
  {
    build: 'no fsync of the checkpoint',
    file: 'src/write/checkpoint-store.ts',
    replace: 'await failAsSync(this.#temporaryPath, file.sync());',
    by: '',
  },
  {
    build: 'no directory fsync after a checkpoint',
    file: 'src/write/checkpoint-store.ts',
    replace: 'await failAsSync(this.#stateDirectory, directory.sync());',
    by: '',
  },
  {
    build: 'no directory fsync after other changes',
    file: 'src/storage/durable-file.ts',
    replace: 'sync(descriptor, directory);',
    by: '',
  },
] as const;

test('row 5: everything that was committed survives on a disk that forgets what nobody synced', async (t) => {
  const library = shimLibrary(t, 'synced');
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const backlog = await fillTopic(t, random, RECORDS);
  const losses = scaled({ ci: 1, full: 20 });
  for (let loss = 0; loss < losses; loss += 1)
    assert.deepEqual(await problemsAfterLoss(t, backlog, library), []);
  report(t, {
    row: 5,
    failure: 'power loss on a disk that keeps only what was synced',
    seed,
    figures: { losses, records: RECORDS },
  });
});

test('a build that leaves out one sync is noticed after one power loss', async (t) => {
  const library = shimLibrary(t, 'synced');
  if (library === undefined) return;
  const backlog = await fillTopic(t, seeded(t).random, RECORDS);
  for (const { build, file, replace, by } of BROKEN) {
    await t.test(build, async (context) => {
      const broken = breakBuild({ [file]: { replace, by } });
      context.after(() => broken.remove());
      const problems = await problemsAfterLoss(context, backlog, library, broken.directory);
      assert.notDeepEqual(problems, []);
      reportCaught(context, { build, evidence: problems[0] ?? '' });
    });
  }
});

/** Stores everything, loses the power, and goes on with what the disk has kept. */
async function problemsAfterLoss(
  t: TestContext,
  backlog: Backlog,
  library: string,
  build?: string,
): Promise<string[]> {
  const scene = await backlog.scene(t, build === undefined ? {} : { build });
  const disk = new ForgetfulDisk(t, library, scene.directory);
  const service = scene.start(disk.env);
  await waitUntilReading(service);
  await scene.waitUntilCommitted();
  await waitFor(
    'the closed files to be archived',
    async () => (await service.metric('log_consumer_seal_backlog_files')) === 0,
  );
  service.kill('SIGKILL');
  await service.exited;
  const directory = mkdtempSync(join(tmpdir(), 'after-power-loss-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  disk.afterPowerLoss(directory);
  const commits = await readGroupCommits(scene.bootstrap, scene.groupId, scene.topic);
  const beyond = committedBeyond(directory, scene.topic, commits);
  const { produced } = backlog;
  return [...beyond, ...(await goOnIn(t, scene, { directory, commits, produced })).problems];
}
