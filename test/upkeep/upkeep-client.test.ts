import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, getPriority } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_CATEGORY_RULES } from '../../src/core/category-rules.ts';
import { LOG_FILES } from '../../src/core/files.ts';
import type { UpkeepJobEvent, UpkeepOptions } from '../../src/core/upkeep-messages.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { UpkeepClient } from '../../src/upkeep/upkeep-client.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { contentsOf } from '../helpers/directory-content.ts';
import { writeLogDirectory } from '../helpers/log-directory.ts';
import { KEEP_ALL } from '../helpers/retention-policy.ts';
import { waitFor } from '../helpers/service.ts';
import { storedLineOf } from '../helpers/write-units.ts';

function optionsFor(directory: string): UpkeepOptions {
  return {
    root: directory,
    directory,
    retention: KEEP_ALL,
    backup: null,
    deadLetters: null,
    categories: DEFAULT_CATEGORY_RULES,
    seal: { format: 'gzip', level: 1, concurrency: 1, columnsMemoryBytes: 128 * 1024 * 1024 },
  };
}

/** The process of an `UpkeepClient` that keeps what it tells. */
class Harness {
  running = false;
  quiet = true;
  backlog = 0;
  readonly deaths: string[] = [];
  readonly failures: string[] = [];
  sealed = 0;
  readonly events: UpkeepJobEvent[] = [];
  readonly client: UpkeepClient;
  readonly directory: string;

  constructor(context: TestContext, directory: string) {
    this.directory = directory;
    this.client = new UpkeepClient(
      optionsFor(directory),
      {
        upkeepRunning: (running) => {
          this.running = running;
        },
        upkeepDied: (reason) => this.deaths.push(reason),
        sealed: () => {
          this.sealed += 1;
        },
        sealFailed: (path, error) => this.failures.push(`${path}: ${String(error)}`),
        sealBacklog: (files) => {
          this.backlog = files;
        },
        sealCircuit: () => undefined,
        upkeepJob: (event) => this.events.push(event),
      },
      () => this.quiet,
      { firstMs: 10, maxMs: 20 },
    );
    context.after(() => this.client.stop());
  }

  async allSealed(): Promise<void> {
    await waitFor('everything to be sealed', async () => plainSegments(this.directory).length === 0);
    await waitFor('the backlog to be empty', async () => this.running && this.backlog === 0);
  }
}

function plainSegments(directory: string): string[] {
  return LOG_FILES.flatMap((file) => closedSegments(directory, file))
    .filter(({ suffixes }) => suffixes.includes('.jsonl'))
    .map(({ path }) => path);
}

/** Processes started by this one or by `parent` that do upkeep. */
function upkeepPids(parent = process.pid): number[] {
  const lines = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(parent)], { encoding: 'utf8' });
  return lines
    .split('\n')
    .filter((line) => line.includes('workers/upkeep'))
    .map((line) => Number.parseInt(line, 10));
}

test('it seals what it finds and what it is told of, at the lowest priority, and ends when told', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  const before = contentsOf(directory);
  const harness = new Harness(context, directory);
  harness.client.start();
  await waitFor('it to run', async () => harness.running);
  const [pid = 0] = upkeepPids();
  assert.equal(getPriority(pid), constants.priority.PRIORITY_LOW);
  await harness.allSealed();
  const [segment] = closedSegments(directory, 'error_logs');
  harness.client.seal(`${segment?.path}-none`);
  assert.ok(harness.backlog > 0, 'what it was told of counts before it has said a word');
  await waitFor('the failure to be told', async () => harness.failures.length === 1);
  assert.deepEqual(contentsOf(directory), before);
  assert.deepEqual((await verify(directory)).problems, []);
  await harness.client.stop();
  assert.deepEqual([upkeepPids(), harness.deaths], [[], []]);
});

test('when it is killed, another takes up its work', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  const before = contentsOf(directory);
  const harness = new Harness(context, directory);
  harness.client.start();
  let kills = 0;
  for (; plainSegments(directory).length > 0 && kills < 5; kills += 1) {
    await waitFor('it to begin', async () => harness.running);
    await sleep(kills * 30);
    for (const pid of upkeepPids()) process.kill(pid, 'SIGKILL');
    await waitFor('its death to be told', async () => harness.deaths.length === kills + 1);
  }
  assert.ok(kills > 0);
  await harness.allSealed();
  assert.match(harness.deaths[0] ?? '', /ended by SIGKILL/);
  assert.deepEqual(harness.failures, []);
  assert.deepEqual(contentsOf(directory), before);
  assert.deepEqual((await verify(directory)).problems, []);
});

/** A process that starts one and is then killed. */
const PARENT = `
  const { UpkeepClient } = await import(process.argv[1]);
  const ignore = () => undefined;
  const observer = { upkeepRunning: () => console.log('running'), upkeepDied: ignore, upkeepJob: ignore, sealed: ignore,
    sealFailed: ignore, sealBacklog: ignore, sealCircuit: ignore };
  new UpkeepClient(JSON.parse(process.argv[2]), observer, () => true, { firstMs: 10, maxMs: 20 }).start();
  setInterval(ignore, 1000);`;

async function parentOf(context: TestContext, directory: string): Promise<ChildProcess> {
  const module = new URL('../../src/upkeep/upkeep-client.ts', import.meta.url).href;
  const parent = spawn(
    process.execPath,
    ['--input-type=module', '-e', PARENT, module, JSON.stringify(optionsFor(directory))],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  context.after(() => parent.kill('SIGKILL'));
  await once(parent.stdout, 'data');
  return parent;
}

test('what is closed while it runs is sealed only when told so, also by the one that comes after it', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  const [segment] = closedSegments(directory, 'service_logs');
  const path = segment?.path ?? '';
  for (const suffix of ['.jsonl', '.meta.json']) renameSync(path + suffix, join(directory, `aside${suffix}`));
  const harness = new Harness(context, directory);
  harness.client.start();
  await harness.allSealed();
  for (const suffix of ['.jsonl', '.meta.json']) renameSync(join(directory, `aside${suffix}`), path + suffix);
  for (const pid of upkeepPids()) process.kill(pid, 'SIGKILL');
  await waitFor('its death to be told', async () => harness.deaths.length === 1);
  await waitFor('the next one to run', async () => harness.running);
  await sleep(300);
  assert.ok(existsSync(`${path}.jsonl`), 'the group can still have it cut back');
  harness.client.seal(path);
  await harness.allSealed();
  assert.deepEqual((await verify(directory)).problems, []);
});

test('while ingestion needs the machine it waits before each file, and goes on slowly', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  const harness = new Harness(context, directory);
  harness.quiet = false;
  harness.client.start();
  await waitFor('it to run', async () => harness.running);
  await sleep(700);
  assert.equal(harness.sealed, 0);
  await waitFor('the first file', async () => harness.sealed > 0);
  assert.ok(plainSegments(directory).length > 3);
  harness.quiet = true;
  await harness.allSealed();
  assert.deepEqual((await verify(directory)).problems, []);
});

test('it ends with the process that started it, and the next one waits until it has', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  const parent = await parentOf(context, directory);
  const [pid = 0] = upkeepPids(parent.pid);
  assert.ok(pid > 0);
  // It holds its lock and cannot end.
  process.kill(pid, 'SIGSTOP');
  context.after(() => endIfThere(pid));
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const harness = new Harness(context, directory);
  harness.client.start();
  await sleep(500);
  assert.ok(!harness.running, 'two of them would work on the same files');
  process.kill(pid, 'SIGCONT');
  await harness.allSealed();
  await waitFor('the first to be gone', async () => !existsSync(`/proc/${pid}`) || isZombie(pid));
  assert.deepEqual((await verify(directory)).problems, []);
});

function isZombie(pid: number): boolean {
  return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself, as it should.
  }
}

test('a stop of the whole group does not end it before the ingest process says so', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  const harness = new Harness(context, directory);
  harness.client.start();
  await waitFor('it to run', async () => harness.running);
  for (const pid of upkeepPids()) process.kill(pid, 'SIGTERM');
  await sleep(100);
  assert.equal(upkeepPids().length, 1);
  await harness.allSealed();
});

test('what it cannot work with is told in its own words, and tried again', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  writeFileSync(join(directory, 'state/upkeep.lock'), 'no lock');
  const harness = new Harness(context, directory);
  harness.client.start();
  await waitFor('two deaths', async () => harness.deaths.length > 1);
  assert.match(harness.deaths[0] ?? '', /file is not a database/);
  rmSync(join(directory, 'state/upkeep.lock'));
  await harness.allSealed();
});

test('a journal of replays that cannot be read is told, and everything else is sealed', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  mkdirSync(join(directory, 'state/replay.json'));
  const harness = new Harness(context, directory);
  harness.client.start();
  await harness.allSealed();
  assert.match(harness.failures.join(), /EISDIR/);
});

test('leftovers of an earlier process are removed', async (context) => {
  const directory = await writeLogDirectory(context, storedLineOf);
  const [segment] = closedSegments(directory, 'service_logs');
  const leftovers = ['.jsonl.zst.tmp', '.parquet.tmp', '.jsonl.gz.tmp'].map(
    (suffix) => segment?.path + suffix,
  );
  for (const path of leftovers) writeFileSync(path, 'half');
  const harness = new Harness(context, directory);
  harness.client.start();
  await harness.allSealed();
  assert.deepEqual(leftovers.filter(existsSync), []);
});
