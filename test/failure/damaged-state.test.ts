import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Random } from '../../src/generate/random.ts';
import { loadCheckpoint } from '../../src/storage/checkpoint.ts';
import { CHECKPOINT_FILE } from '../../src/storage/layout.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { fatalError, goOnIn, type Remains } from './helpers/aftermath.ts';
import { FATAL, type FatalDamage, flippedBits, HARMLESS } from './helpers/damages.ts';
import { readGroupCommits } from './helpers/group-commits.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** No file is rotated between the newest checkpoint and the one before. */
const ONE_FILE = { MAX_LOG_FILE_SIZE_MB: '100' };
const SMALL_FILES = { MAX_LOG_FILE_SIZE_MB: '0.2' };
const CHECKPOINTS = 4;
const FELL_BACK = '"message":"the newest checkpoint was damaged or incomplete';

test('row 7: damaged state is got over, or refused with a sentence', async (t) => {
  const { seed, random } = seeded(t);
  const { scene, remains } = await killedService(t, random);
  const harmless = sample(
    [...HARMLESS, ...flippedBits(scaled({ ci: 2, full: 40 }))],
    scaled({ ci: 4, full: 100 }),
    random,
  );
  const fatal = sample(FATAL, scaled({ ci: 3, full: 100 }), random);
  for (const { name, fallsBack, inflict } of harmless) {
    await t.test(`${name} is got over`, async (context) => {
      const directory = copyOf(context, remains.directory);
      inflict(directory, random);
      const { problems, log } = await goOnIn(context, scene, { ...remains, directory }, ONE_FILE);
      assert.deepEqual(problems, [], log);
      assert.equal(log.includes(FELL_BACK), fallsBack, log);
    });
  }
  const rotated = { ...remains, directory: copyOf(t, remains.directory) };
  assert.deepEqual((await goOnIn(t, scene, rotated, SMALL_FILES)).problems, []);
  for (const damage of fatal) {
    await t.test(`${damage.name} is refused`, async (context) => {
      const directory = copyOf(context, rotated.directory);
      damage.inflict(directory, random, remains.directory);
      await assertRefused(context, scene, { ...remains, directory }, damage);
    });
  }
  report(t, {
    row: 7,
    failure: 'damaged checkpoints, shortened files, leftovers',
    seed,
    figures: { 'got over': harmless.length, refused: fatal.length },
  });
});

/** So many of them, or all; each once. */
function sample<T>(all: readonly T[], count: number, random: Random): T[] {
  const rest = [...all];
  const chosen: T[] = [];
  while (chosen.length < count && rest.length > 0) {
    chosen.push(...rest.splice(random.below(rest.length), 1));
  }
  return chosen;
}

/** A service that was killed in the middle of its work; the topic holds more than its files. */
async function killedService(
  t: TestContext,
  random: Random,
): Promise<{ readonly scene: Scene; readonly remains: Remains }> {
  const killed = await killedOnce(t, random);
  // A kill between the two renames of a checkpoint is a damage of its own, and would be taken for the one
  // that the test does.
  const isSound = loadCheckpoint(killed.scene.directory)?.source === CHECKPOINT_FILE;
  return isSound ? killed : killedService(t, random);
}

async function killedOnce(
  t: TestContext,
  random: Random,
): Promise<{ readonly scene: Scene; readonly remains: Remains }> {
  const scene = await Scene.set(t, { name: 'damaged', random, env: ONE_FILE });
  const traffic = scene.traffic({ rate: 1500 });
  const service = scene.start();
  await waitFor(
    'some checkpoints that Kafka has taken',
    () => (loadCheckpoint(scene.directory)?.checkpoint.acknowledged ?? 0) >= CHECKPOINTS,
  );
  service.kill('SIGKILL');
  await service.exited;
  const { bootstrap, groupId, topic, directory } = scene;
  const commits = await readGroupCommits(bootstrap, groupId, topic);
  return { scene, remains: { directory, commits, produced: await traffic.finish() } };
}

/** The service says why and ends; neither the files nor the group are touched. */
async function assertRefused(
  t: TestContext,
  scene: Scene,
  remains: Remains,
  { code, says }: FatalDamage,
): Promise<void> {
  const before = contentOf(remains.directory);
  const { exit, log, groupId } = await goOnIn(t, scene, remains);
  assert.deepEqual(exit, { code: 1, signal: null }, log);
  const { code: saidCode, message } = fatalError(log);
  assert.equal(saidCode, code);
  assert.match(message, says);
  assert.deepEqual(contentOf(remains.directory), before);
  assert.deepEqual(await readGroupCommits(scene.bootstrap, groupId, scene.topic), remains.commits);
}

/** A digest of every file, but for the one that names the process in charge. */
function contentOf(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile() && name !== 'state/owner.json')
    .map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]);
  return Object.fromEntries(files) as Record<string, string>;
}

function copyOf(t: TestContext, directory: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'damaged-'));
  t.after(() => rmSync(copy, { recursive: true, force: true }));
  cpSync(directory, copy, { recursive: true });
  return copy;
}

test('row 7: the first checkpoint with records is damaged, and the one before knows of none', async (t) => {
  const { random } = seeded(t);
  const env = { ...ONE_FILE, LOG_CONSUMER_OUTPUT_CHECKPOINT_INTERVAL: '60s' };
  const scene = await Scene.set(t, { name: 'first-checkpoint', random, env });
  const produced = await scene.traffic({ atLeast: 3000 }).finish();
  const records = produced.reduce((sum, count) => sum + count, 0);
  const first = scene.start();
  await untilRead(first, records);
  assert.deepEqual(await first.stop(), { code: 0, signal: null }, first.log);
  const checkpoint = join(scene.directory, 'state/checkpoint.json');
  truncateSync(checkpoint, 100);
  const before = loadCheckpoint(scene.directory)?.checkpoint;
  assert.deepEqual(before?.partitions, {}, 'or the test shows nothing');
  // The group has committed everything before, so that says nothing.
  await untilRead(scene.start(), records);
  await scene.finish(produced);
});

async function untilRead(service: ServiceProcess, records: number): Promise<void> {
  await waitFor('everything to be read', async () => {
    const processed = await service.metric('logs_processed_total');
    return processed + (await service.metric('logs_dropped_total')) === records;
  });
}
