import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/generate/random.ts';
import { recover } from '../../src/storage/recovery.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { type Aftermath, committedBeyond, goOnIn } from './helpers/aftermath.ts';
import { type GroupCommit, readGroupCommits } from './helpers/group-commits.ts';
import { LoopImage } from './helpers/loop-image.ts';
import { report, reportCaught } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene, waitUntilReading } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

const NAME = 'power-loss';
const COPIES_PER_ROUND = 10;
/** Of so many copies one is read to the end; all are recovered and verified. */
const READ_TO_THE_END = 5;

interface Copy {
  readonly path: string;
  /** What Kafka knew before the copy was taken. */
  readonly commits: readonly GroupCommit[];
}

test('row 5: after a power loss nothing that was committed is missing', async (t) => {
  const { seed, random } = seeded(t);
  const figures = { copies: 0, 'read to the end': 0, 'records read again': 0, records: 0 };
  for (let round = scaled({ ci: 1, full: 10 }); round > 0; round -= 1) {
    await t.test(`${COPIES_PER_ROUND} copies of a disk in use`, async (context) => {
      const image = LoopImage.create(context);
      if (image === undefined) return;
      const directory = join(image.mountPoint, 'logs');
      const scene = await Scene.set(context, { name: NAME, random, directory });
      const traffic = scene.traffic({ rate: 2500, atLeast: 10_000 });
      const copies = await takeCopies(scene, image, random);
      const produced = await traffic.finish();
      await scene.finish(produced);
      for (const [index, copy] of copies.entries()) {
        if (index % READ_TO_THE_END > 0) {
          assert.deepEqual(await problemsOfCopy(scene, image, copy), []);
        } else {
          const { problems, unread } = await goOn(context, scene, image, copy, produced);
          assert.deepEqual(problems, []);
          figures['read to the end'] += 1;
          figures['records read again'] += unread;
        }
        figures.copies += 1;
      }
      figures.records += traffic.total;
    });
  }
  if (figures.copies === 0) return;
  assert.ok(figures['records read again'] > 0, 'no copy was behind the topic');
  report(t, { row: 5, failure: 'power loss', seed, figures });
});

test('a build that does not sync its files is noticed after one power loss', async (t) => {
  const { random } = seeded(t);
  const image = LoopImage.create(t);
  if (image === undefined) return;
  const build = breakBuild({
    'src/write/active-segment.ts': { replace: 'fdatasyncAsync(this.#descriptor)', by: 'Promise.resolve()' },
  });
  t.after(() => build.remove());
  const directory = join(image.mountPoint, 'logs');
  const scene = await Scene.set(t, { name: NAME, random, directory, build: build.directory });
  const produced = await scene.traffic({ atLeast: 2000 }).finish();
  const service = scene.start();
  await scene.waitUntilCommitted();
  const copy = await takeCopy(scene, service, image);
  const { problems } = await goOn(t, scene, image, copy, produced);
  assert.notDeepEqual(problems, []);
  reportCaught(t, { build: 'no fsync', evidence: problems[0] ?? '' });
});

async function takeCopies(scene: Scene, image: LoopImage, random: Random): Promise<Copy[]> {
  const service = scene.start();
  await waitUntilReading(service);
  const copies: Copy[] = [];
  while (copies.length < COPIES_PER_ROUND) {
    await sleep(random.below(400));
    copies.push(await takeCopy(scene, service, image));
  }
  return copies;
}

/** The process stands still, so that the offsets and the copy belong to one moment. */
async function takeCopy(scene: Scene, service: ServiceProcess, image: LoopImage): Promise<Copy> {
  service.kill('SIGSTOP');
  await waitFor('all threads to stand still', () => standsStill(service));
  const commits = await readGroupCommits(scene.bootstrap, scene.groupId, scene.topic);
  const path = image.copy();
  service.kill('SIGCONT');
  return { path, commits };
}

function standsStill({ child }: ServiceProcess): boolean {
  const tasks = `/proc/${child.pid}/task`;
  return readdirSync(tasks).every((id) => /\) T /.test(readFileSync(join(tasks, id, 'stat'), 'utf8')));
}

/** What a start on the copy finds, without reading on. */
function problemsOfCopy({ topic }: Scene, image: LoopImage, { path, commits }: Copy): Promise<string[]> {
  return image.withRecovered(path, async (mountPoint) => {
    const directory = join(mountPoint, 'logs');
    const beyond = committedBeyond(directory, topic, commits);
    recover(directory, '', Date.now());
    return [...beyond, ...(await verify(directory)).problems];
  });
}

/** What a service makes of the copy when the power is back. */
function goOn(
  t: TestContext,
  scene: Scene,
  image: LoopImage,
  { path, commits }: Copy,
  produced: readonly number[],
): Promise<Aftermath> {
  return image.withRecovered(path, async (mountPoint) => {
    const directory = join(mountPoint, 'logs');
    const beyond = committedBeyond(directory, scene.topic, commits);
    const aftermath = await goOnIn(t, scene, { directory, commits, produced });
    return { ...aftermath, problems: [...beyond, ...aftermath.problems] };
  });
}
