import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decodeCheckpoint } from '../../src/storage/checkpoint.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import type { Exit, ServiceProcess } from '../helpers/service.ts';
import { type Backlog, fillTopic } from './helpers/backlog.ts';
import { runToEnd } from './helpers/disk-run.ts';
import { type Call, FaultInjector, faultLibrary, kindOf } from './helpers/fault-injector.ts';
import { report, reportCaught } from './helpers/report.ts';
import { isFullScale, scaled } from './helpers/scale.ts';
import type { Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** Enough for several checkpoints and rotations. */
const RECORDS = 3000;

test('row 4: one failed fsync ends the process, and nothing after it counts', async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const backlog = await fillTopic(t, random, RECORDS);
  const syncs = await countSyncs(t, backlog, library);
  const every = Array.from({ length: syncs }, (_, index) => index + 1);
  const chosen = isFullScale()
    ? every
    : every.slice(0, scaled({ ci: 6, full: 0 })).map(() => 1 + random.below(syncs));
  const failures = { fatal: 0, archiving: 0 };
  for (const at of chosen) {
    await t.test(`fsync ${at} of about ${syncs} fails`, async (context) => {
      const { scene, service, exit, injector } = await failSync(context, backlog, library, at);
      const [failed] = injector.faulted();
      if (failed === undefined) return;
      context.diagnostic(`${failed.name} ${failed.path.slice(scene.directory.length)}`);
      if (isAboutArchiving(service)) {
        failures.archiving += 1;
      } else {
        failures.fatal += 1;
        assert.deepEqual(await problemsAfter(scene, exit, injector.calls(), failed), [], service.log);
        assert.match(service.log, /"code":"SYNC_FAILED"/);
      }
      await scene.expelDeadMembers();
      scene.start();
      await scene.finish(backlog.produced);
    });
  }
  assert.ok(failures.fatal > 0, 'no fsync of the writer was among those that failed');
  report(t, { row: 4, failure: 'one failed fsync', seed, figures: { ...failures, records: RECORDS } });
});

test('a build that goes on after a failed fsync is noticed', async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { random } = seeded(t);
  const build = breakBuild({
    'src/write/active-segment.ts': {
      replace: 'await failAsSync(this.#path, fdatasyncAsync(this.#descriptor));',
      by: 'await failAsSync(this.#path, fdatasyncAsync(this.#descriptor)).catch(() => undefined);',
    },
  });
  t.after(() => build.remove());
  const backlog = await fillTopic(t, random, RECORDS);
  const whole = await backlog.scene(t);
  const counting = new FaultInjector(t, library, whole.directory);
  await runToEnd(whole, whole.start(counting.env));
  const syncs = counting.calls().filter(({ name }) => kindOf(name) === 'sync');
  const at = 1 + syncs.findIndex(({ name }) => name === 'fdatasync');
  const { scene, exit, injector } = await failSync(t, backlog, library, at, build.directory);
  const [failed] = injector.faulted();
  assert.ok(failed?.name === 'fdatasync');
  const problems = await problemsAfter(scene, exit, injector.calls(), failed);
  assert.notDeepEqual(problems, []);
  reportCaught(t, { build: 'goes on after a failed fsync', evidence: problems[0] ?? '' });
});

interface FailedRun {
  readonly scene: Scene;
  readonly service: ServiceProcess;
  readonly exit: Exit;
  readonly injector: FaultInjector;
}

async function failSync(
  t: TestContext,
  backlog: Backlog,
  library: string,
  at: number,
  build?: string,
): Promise<FailedRun> {
  const scene = await backlog.scene(t, build === undefined ? {} : { build });
  const injector = new FaultInjector(t, library, scene.directory);
  injector.arm({ at, action: 'failOnce', error: 'EIO', kinds: ['sync'] });
  const service = scene.start(injector.env);
  const exit = await runToEnd(scene, service);
  return { scene, service, exit, injector };
}

async function countSyncs(t: TestContext, backlog: Backlog, library: string): Promise<number> {
  const scene = await backlog.scene(t);
  const injector = new FaultInjector(t, library, scene.directory);
  await runToEnd(scene, scene.start(injector.env));
  return injector.calls().filter(({ name }) => kindOf(name) === 'sync').length;
}

/** A closed file that cannot be compressed stays as it is; the writer has nothing to do with it. */
function isAboutArchiving(service: ServiceProcess): boolean {
  return service.log.includes('"message":"file not archived');
}

/** What happened after a failed fsync of the writer that must not happen. */
async function problemsAfter(
  scene: Scene,
  exit: Exit,
  calls: readonly Call[],
  failed: Call,
): Promise<string[]> {
  const problems: string[] = [];
  if (exit.code !== 1) problems.push(`the process ended with ${exit.code ?? exit.signal}`);
  const later = calls.slice(calls.findIndex(({ done }) => done === 'failed') + 1);
  for (const { name, path } of later) {
    // The archive is synced by the compression of closed files too, which is about other names.
    const same = path === failed.path && !path.includes('/archive');
    if (same && kindOf(name) === 'sync') problems.push(`a second ${name} of ${path}`);
    if (name === 'rename' && path.endsWith('/state/checkpoint.json')) problems.push('a later checkpoint');
  }
  // A checkpoint whose directory could not be synced is in its place, and yet does not count.
  const counts = failed.path.endsWith('/state') ? 'checkpoint.prev.json' : 'checkpoint.json';
  const durable = nextOffsets(scene, counts);
  for (const [partition, offset] of await scene.committed()) {
    if (offset > (durable.get(partition) ?? 0)) problems.push(`a later commit of partition ${partition}`);
  }
  return problems;
}

function nextOffsets(scene: Scene, name: string): Map<number, number> {
  const text = readIfThere(join(scene.directory, 'state', name));
  const partitions = Object.entries(decodeCheckpoint(text)?.partitions ?? {});
  return new Map(partitions.map(([key, { next_offset }]) => [Number(key.split('/').at(-1)), next_offset]));
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Before the first checkpoint nothing may be committed.
    return '';
  }
}
