import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { verify } from '../../src/upkeep/verify.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import { checkExactness } from '../helpers/exactness.ts';
import { type Backlog, fillTopic } from './helpers/backlog.ts';
import { runToEnd } from './helpers/disk-run.ts';
import { FaultInjector, faultLibrary } from './helpers/fault-injector.ts';
import { report, reportCaught } from './helpers/report.ts';
import { isFullScale, scaled } from './helpers/scale.ts';
import { seeded } from './helpers/seed.ts';

/** Enough for several rotations of the small files. */
const RECORDS = 3000;
/** A start that recovers makes about so many calls before it consumes. */
const CALLS_OF_A_RECOVERY = 40;

test('row 2: SIGKILL at every Nth file system call', async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const backlog = await fillTopic(t, random, RECORDS);
  let [runs, kills] = [0, 0];
  const killAt = async (call: number): Promise<boolean> => {
    const recoveryCall = 1 + random.below(CALLS_OF_A_RECOVERY);
    let killed = 0;
    await t.test(`call ${call}, then call ${recoveryCall} of the recovery`, async (context) => {
      killed = await killTwice(context, backlog, library, [call, recoveryCall]);
    });
    runs += 1;
    kills += killed;
    return killed > 0;
  };
  if (isFullScale()) {
    for (let call = 1; await killAt(call); call += 1);
  } else {
    const calls = await countCalls(t, backlog, library);
    for (let run = scaled({ ci: 12, full: 0 }); run > 0; run -= 1) await killAt(1 + random.below(calls));
    assert.ok(kills > runs / 2, `${kills} kills in ${runs} runs`);
  }
  report(t, {
    row: 2,
    failure: 'SIGKILL at every Nth file system call, and again in the recovery',
    seed,
    figures: { runs, kills, records: RECORDS },
  });
});

/** Calls of a run that nothing happens to. */
async function countCalls(t: TestContext, backlog: Backlog, library: string): Promise<number> {
  const scene = await backlog.scene(t);
  const injector = new FaultInjector(t, library, scene.directory);
  assert.deepEqual(await runToEnd(scene, scene.start(injector.env)), { code: 0, signal: null });
  return injector.count;
}

/** Kills a run, and the one that recovers from it; the third has to end exactly. Returns the kills. */
async function killTwice(
  t: TestContext,
  backlog: Backlog,
  library: string,
  calls: readonly number[],
): Promise<number> {
  const scene = await backlog.scene(t);
  const injector = new FaultInjector(t, library, scene.directory);
  let kills = 0;
  for (const at of calls) {
    injector.arm({ at, action: 'kill' });
    const service = scene.start(injector.env);
    const exit = await runToEnd(scene, service);
    if (exit.signal !== 'SIGKILL') {
      assert.deepEqual(exit, { code: 0, signal: null }, service.log);
      break;
    }
    kills += 1;
    await scene.expelDeadMembers();
  }
  scene.start();
  await scene.finish(backlog.produced);
  for (const { name, path } of injector.faulted()) {
    t.diagnostic(`killed at ${name} ${path.slice(scene.directory.length)}`);
  }
  return kills;
}

test('a build that does not cut the files on recovery is noticed after one kill', async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { random } = seeded(t);
  const build = breakBuild({
    'src/storage/recovery.ts': { replace: 'truncateDurable(path, length);', by: '' },
  });
  t.after(() => build.remove());
  const backlog = await fillTopic(t, random, RECORDS);
  const scene = await backlog.scene(t, { build: build.directory });
  const injector = new FaultInjector(t, library, scene.directory);
  await killInALine(scene, injector);
  const service = scene.start();
  await scene.waitUntilCommitted();
  await service.stop();
  const found = await checkExactness(scene.directory, backlog.produced);
  assert.ok(found.torn > 0 || found.lost > 0 || found.duplicated > 0, 'half a line stayed before the others');
  assert.equal((await verify(scene.directory)).ok, false);
  const { torn, lost, duplicated } = found;
  reportCaught(t, {
    build: 'no cut on recovery',
    evidence: `one SIGKILL: ${torn} torn, ${lost} lost, ${duplicated} duplicated`,
  });
});

/** Kills a service in the middle of its first write to service_logs. */
async function killInALine(
  scene: Awaited<ReturnType<Backlog['scene']>>,
  injector: FaultInjector,
): Promise<void> {
  // The writes before it are those of owner.json and of the first checkpoint.
  injector.arm({ at: 3, action: 'kill', kinds: ['write'] });
  const { signal } = await scene.start(injector.env).exited;
  assert.equal(signal, 'SIGKILL');
  assert.match(injector.faulted()[0]?.path ?? '', /service_logs\.jsonl$/);
  await scene.expelDeadMembers();
}
