import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LOG_FILES } from '../../src/core/files.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { memberIds } from './helpers/group-members.ts';
import { report } from './helpers/report.ts';
import { scaled } from './helpers/scale.ts';
import { Scene, waitUntilReading } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';
import { shimLibrary } from './helpers/shim-library.ts';
import { WallClock } from './helpers/wall-clock.ts';

const HOUR_S = 3600;
/** No file of a test gets as old as this by itself. */
const HALF_AN_HOUR = { LOG_CONSUMER_OUTPUT_MAX_FILE_AGE: '30m' };
const SMALL_FILES = { MAX_LOG_FILE_SIZE_MB: '0.2' };
/** Longer than the session of the consumer group lasts without heartbeats. */
const IDLE_MS = 9000;

test('row 21: files rotate by size and by age, and the group is kept, while the clock jumps by an hour', async (t) => {
  const library = shimLibrary(t, 'clock');
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const clock = new WallClock(t, library);
  const env = { ...clock.env, ...HALF_AN_HOUR, ...SMALL_FILES };
  const scene = await Scene.set(t, { name: 'clock', random, env });
  const service = scene.start();
  await waitUntilReading(service);
  const members = await memberIds(scene.bootstrap, scene.groupId);
  const traffic = scene.traffic({ rate: 1000 });
  const seen = new Map<string, number>();
  let jumps = 0;
  for (let round = scaled({ ci: 1, full: 10 }); round > 0; round -= 1) {
    // Forward and back again, so that the second hour is seen twice and the names' times run backwards.
    for (const shift of [HOUR_S, 0]) {
      const before = await rotations(service);
      clock.shift(shift);
      jumps += 1;
      // Forward, even the files that hardly grow are too old at once; afterwards only size counts.
      const expected = before + (shift > 0 ? LOG_FILES.length : 1);
      await waitFor('rotations after the jump', async () => (await rotations(service)) >= expected);
      remember(seen, scene.directory);
    }
  }
  const produced = await traffic.finish();
  await scene.waitUntilCommitted();
  // Records that flow would hide it if heartbeats went by this clock: commits keep a member alive too.
  clock.shift(-HOUR_S);
  jumps += 1;
  await sleep(IDLE_MS);
  assert.deepEqual(await memberIds(scene.bootstrap, scene.groupId), members);
  assert.equal(await service.metric('log_consumer_rebalances_total'), 0);
  await scene.finish(produced);
  remember(seen, scene.directory);
  const backwards = assertNamesCount(scene.directory, seen);
  assert.ok(backwards > 0, 'no name is older than the one before it');
  report(t, {
    row: 21,
    failure: 'the clock jumps by an hour, forward and back',
    seed,
    figures: { jumps, 'closed files': seen.size, backwards, records: traffic.total },
  });
});

/** Files closed by now. */
function rotations(service: ServiceProcess): Promise<number> {
  return service.metric('log_consumer_rotations_total');
}

/** Notes the names of all closed files. */
function remember(seen: Map<string, number>, directory: string): void {
  for (const file of LOG_FILES) {
    for (const { path, number } of closedSegments(directory, file)) seen.set(path, number);
  }
}

/**
 * Every file that was ever closed is still there, under a name of its own, numbered without gap.
 * @returns how many names tell of an earlier time than the one before
 */
function assertNamesCount(directory: string, seen: ReadonlyMap<string, number>): number {
  let backwards = 0;
  const present = new Set<string>();
  for (const file of LOG_FILES) {
    const closed = closedSegments(directory, file);
    assert.deepEqual(
      closed.map(({ number }) => number),
      closed.map((_, index) => index + 1),
    );
    const names = closed.map(({ path }) => basename(path));
    backwards += names.filter((name, index) => index > 0 && name < (names[index - 1] ?? '')).length;
    for (const { path } of closed) present.add(path);
  }
  assert.deepEqual(
    [...seen.keys()].filter((path) => !present.has(path)),
    [],
  );
  return backwards;
}
