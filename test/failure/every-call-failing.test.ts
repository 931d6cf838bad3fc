import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';
import { type Backlog, fillTopic } from './helpers/backlog.ts';
import { assertNothingCommittedBeyondCheckpoint, runToEnd } from './helpers/disk-run.ts';
import {
  ALL_KINDS,
  type Call,
  type CallKind,
  type Fault,
  type FaultError,
  FaultInjector,
  faultLibrary,
  kindOf,
} from './helpers/fault-injector.ts';
import { report } from './helpers/report.ts';
import { isFullScale, scaled } from './helpers/scale.ts';
import { hasEnded, type Scene } from './helpers/scene.ts';
import { seeded } from './helpers/seed.ts';

/** Enough for several rotations of the small files. */
const RECORDS = 3000;
/** A start on files that are there makes about so many calls before it consumes. */
const CALLS_OF_A_START = 40;
/** The runs share the broker and nothing else, and wait most of the time. */
const AT_ONCE = scaled({ ci: 1, full: 6 });
/** A service that waits for its disk tries again every second. */
const RETRIES_MS = 2500;

/** As DuckDB tells of them, which says what the C library says. */
const TEXTS: Readonly<Record<FaultError, string>> = {
  EIO: 'Input/output error',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EDQUOT: 'Disk quota exceeded',
  EMFILE: 'Too many open files',
};

type Errors = Readonly<Record<FaultError, readonly CallKind[]>>;

/** What can fail once: a process runs out of descriptors only where it opens something. */
const ONCE: Errors = {
  EIO: ALL_KINDS,
  ENOSPC: ALL_KINDS,
  EROFS: ALL_KINDS,
  EDQUOT: ALL_KINDS,
  EMFILE: ['open'],
};

/** What needs room, and goes on failing while there is none. */
const GROWTH: readonly CallKind[] = ['write', 'rename', 'link', 'mkdir'];
const PERSISTENT: Errors = { ...ONCE, ENOSPC: GROWTH, EDQUOT: GROWTH };

interface Run {
  readonly backlog: Backlog;
  readonly library: string;
  readonly fault: Fault & { readonly error: FaultError };
  /** The call of the next start that fails in the same way. */
  readonly again: number;
}

test('row 3: every Nth file system call fails, once', { concurrency: AT_ONCE }, async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const backlog = await fillTopic(t, random, RECORDS);
  const calls = await countCalls(t, backlog, library);
  let faults = 0;
  const subtests: Promise<void>[] = [];
  for (const [error, kinds] of entriesOf(ONCE)) {
    for (const at of callsToFail(calls(kinds), scaled({ ci: 2, full: 0 }), random)) {
      const again = 1 + random.below(CALLS_OF_A_START);
      const run = async (context: TestContext): Promise<void> => {
        const fault = { at, action: 'failOnce', error, kinds } as const;
        const failed = await failAndHeal(context, { backlog, library, fault, again });
        // Read only now: others have added theirs meanwhile.
        faults += failed;
      };
      subtests.push(t.test(`${error} at call ${at}, then at call ${again} of the next start`, run));
    }
  }
  await Promise.all(subtests);
  const runs = subtests.length;
  assert.ok(faults > runs / 2, `${faults} faults in ${runs} runs`);
  report(t, {
    row: 3,
    failure: 'EIO, ENOSPC, EROFS, EDQUOT, EMFILE at every Nth file system call, once',
    seed,
    figures: { runs, faults, records: RECORDS },
  });
});

test('row 3: file system calls fail from the Nth on, until the disk is healed', {
  concurrency: AT_ONCE,
}, async (t) => {
  const library = faultLibrary(t);
  if (library === undefined) return;
  const { seed, random } = seeded(t);
  const backlog = await fillTopic(t, random, RECORDS);
  const calls = await countCalls(t, backlog, library);
  let faults = 0;
  const subtests: Promise<void>[] = [];
  for (const [error, kinds] of entriesOf(PERSISTENT)) {
    for (let count = scaled({ ci: 1, full: 20 }); count > 0; count -= 1) {
      const at = 1 + random.below(calls(kinds));
      const again = 1 + random.below(CALLS_OF_A_START);
      const run = async (context: TestContext): Promise<void> => {
        const fault = { at, action: 'failOn', error, kinds } as const;
        const failed = await failAndHeal(context, { backlog, library, fault, again });
        faults += failed;
      };
      subtests.push(t.test(`${error} from call ${at} on, then from call ${again} of the next start`, run));
    }
  }
  await Promise.all(subtests);
  const runs = subtests.length;
  report(t, {
    row: 3,
    failure: 'EIO, ENOSPC, EROFS, EDQUOT, EMFILE from the Nth file system call on',
    seed,
    figures: { runs, faults, records: RECORDS },
  });
});

function entriesOf(errors: Errors): [FaultError, readonly CallKind[]][] {
  return Object.entries(errors) as [FaultError, readonly CallKind[]][];
}

/** All of them in the full suite, else so many at random. */
function callsToFail(count: number, sample: number, random: { below(limit: number): number }): number[] {
  const all = Array.from({ length: count }, (_, index) => index + 1);
  return isFullScale() ? all : all.slice(0, sample).map(() => 1 + random.below(count));
}

/** How many calls of some kinds a run makes that nothing happens to. */
async function countCalls(
  t: TestContext,
  backlog: Backlog,
  library: string,
): Promise<(kinds: readonly CallKind[]) => number> {
  const scene = await backlog.scene(t);
  const injector = new FaultInjector(t, library, scene.directory);
  assert.deepEqual(await runToEnd(scene, scene.start(injector.env)), { code: 0, signal: null });
  const calls = injector.calls();
  return (kinds) => calls.filter(({ name }) => kinds.includes(kindOf(name))).length;
}

/** Two runs with the fault, then one without; returns how many calls failed. */
async function failAndHeal(t: TestContext, { backlog, library, fault, again }: Run): Promise<number> {
  const { error } = fault;
  const scene = await backlog.scene(t);
  const injector = new FaultInjector(t, library, scene.directory);
  for (const at of [fault.at, again]) {
    injector.arm({ ...fault, at });
    const before = injector.faulted().length;
    const service = scene.start(injector.env);
    if (fault.action === 'failOn') await healWhenNoticed(scene, service, injector);
    const exit = await runToEnd(scene, service);
    injector.heal();
    const failed = injector.faulted().slice(before);
    const [first] = failed;
    if (first !== undefined) {
      t.diagnostic(`${first.name} ${first.path.slice(scene.directory.length)}: ${outcomeOf(service)}`);
      assertSaid(service, error, first);
      if (fault.kinds === GROWTH) assertWaited(service);
    }
    assert.deepEqual(exit, { code: failureIn(service) === undefined ? 0 : 1, signal: null }, service.log);
    await scene.expelDeadMembers();
  }
  scene.start();
  await scene.finish(backlog.produced);
  return injector.faulted().length;
}

/** Lets the disk fail until the service ended, or waits and said so, and then a little longer. */
async function healWhenNoticed(
  scene: Scene,
  service: ServiceProcess,
  injector: FaultInjector,
): Promise<void> {
  await waitFor('the service to meet the fault', async () => {
    await assertNothingCommittedBeyondCheckpoint(scene);
    return hasEnded(service) || isBlocked(service) || (await scene.isCommitted());
  });
  if (!hasEnded(service) && isBlocked(service)) {
    const ready = await service.get('/health/ready');
    assert.equal(ready.status, 503);
    assert.match(ready.body, /disk: /);
    await sleep(RETRIES_MS);
  }
  await assertNothingCommittedBeyondCheckpoint(scene);
  injector.heal();
}

function isBlocked(service: ServiceProcess): boolean {
  return service.log.includes('"message":"writing is blocked');
}

/** A disk without room ends nothing, unless there never was any. */
function assertWaited(service: ServiceProcess): void {
  assert.ok([undefined, 'DIRECTORY_UNUSABLE'].includes(failureIn(service)), service.log);
}

/** Whoever reads the log learns what the disk said: as the failure, as a wait, or about one file. */
function assertSaid(service: ServiceProcess, error: FaultError, call: Call): void {
  const lines = service.log.split('\n').filter((line) => /"level":"(ERROR|FATAL)"/.test(line));
  assert.ok(
    lines.some((line) => [error, TEXTS[error]].some((text) => line.includes(text)) || saysSqlite(line, call)),
    `nothing in the log says that ${call.name} ${call.path} failed with ${error}:\n${service.log}`,
  );
}

/** SQLite, which takes the lock, keeps the reason to itself. */
function saysSqlite(line: string, call: Call): boolean {
  // What it cannot open for writing it opens for reading, and says so when it has to write.
  const texts = ['unable to open database file', 'attempt to write a readonly database'];
  return /\/state\/(upkeep\.)?lock$/.test(call.path) && texts.some((text) => line.includes(text));
}

/** The code with which the service gave up. */
function failureIn(service: ServiceProcess): string | undefined {
  const line = service.log.split('\n').find((candidate) => candidate.includes('"level":"FATAL"'));
  return line === undefined ? undefined : /"code":"([A-Z_]+)"/.exec(line)?.[1];
}

function outcomeOf(service: ServiceProcess): string {
  return failureIn(service) ?? (isBlocked(service) ? 'waited' : 'went on');
}
