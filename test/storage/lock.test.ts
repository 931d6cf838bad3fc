import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ErrorCode, ServiceError } from '../../src/core/errors.ts';
import { lockDirectory } from '../../src/storage/lock.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** A process that takes the lock, says how that went, and keeps it until it is killed. */
const HOLDER = `
  const { lockDirectory } = await import(process.argv[1]);
  try {
    lockDirectory(process.argv[2]);
    globalThis.gc();
    console.log('locked');
    setInterval(() => undefined, 1000);
  } catch (error) {
    console.log(error.code + ' ' + error.message);
  }`;

async function holder(
  context: TestContext,
  directory: string,
  user: { readonly uid?: number } = {},
): Promise<{ child: ChildProcess; answer: string }> {
  const module = new URL('../../src/storage/lock.ts', import.meta.url).href;
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--input-type=module', '-e', HOLDER, module, directory],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      ...user,
    },
  );
  context.after(() => child.kill('SIGKILL'));
  const [output] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, answer: output.toString().trim() };
}

function isError(code: ErrorCode, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof ServiceError && error.code === code && pattern.test(error.message);
}

test('a second process is refused and told who holds the directory, until the first one dies', async (context) => {
  const directory = temporaryDirectory(context);
  const { child, answer } = await holder(context, directory);
  assert.equal(answer, 'locked');
  const names = new RegExp(`in use by process ${child.pid} on `);
  assert.throws(() => lockDirectory(directory), isError('DIRECTORY_LOCKED', names));
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockDirectory(directory).release();
});

test('the lock is free again after its release, and tells its owner meanwhile', async (context) => {
  const directory = temporaryDirectory(context);
  const lock = lockDirectory(directory);
  const owner: unknown = JSON.parse(readFileSync(join(directory, 'state/owner.json'), 'utf8'));
  assert.ok(typeof owner === 'object' && owner !== null && 'pid' in owner && owner.pid === process.pid);
  lock.release();
  const { answer } = await holder(context, directory);
  assert.equal(answer, 'locked');
});

test('an attempt in the same process fails without letting other processes in', async (context) => {
  const directory = temporaryDirectory(context);
  const lock = lockDirectory(directory);
  assert.throws(() => lockDirectory(directory), isError('DIRECTORY_LOCKED', /in use/));
  const { answer } = await holder(context, directory);
  assert.match(answer, /^DIRECTORY_LOCKED /);
  lock.release();
});

test('a directory that cannot be made is a clear error', (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'file'), '');
  assert.throws(
    () => lockDirectory(join(directory, 'file', 'below')),
    isError('DIRECTORY_UNUSABLE', /Cannot use the output directory .*make it writable/),
  );
});

test('an owner file that cannot be written is the same clear error, and leaves no lock behind', async (context) => {
  const directory = temporaryDirectory(context);
  lockDirectory(directory).release();
  const { rmSync, mkdirSync } = await import('node:fs');
  rmSync(join(directory, 'state/owner.json'));
  mkdirSync(join(directory, 'state/owner.json'));
  assert.throws(() => lockDirectory(directory), isError('DIRECTORY_UNUSABLE', /owner\.json/));
  rmSync(join(directory, 'state/owner.json'), { recursive: true });
  lockDirectory(directory).release();
});

test('a lock file that may only be read locks nobody out, so it is no lock', async (context) => {
  if (process.getuid?.() !== 0) return context.skip('starting a process as another user needs root');
  const directory = temporaryDirectory(context);
  const state = join(directory, 'state');
  mkdirSync(state);
  writeFileSync(join(state, 'lock'), '', { mode: 0o444 });
  for (const path of [directory, state]) chmodSync(path, 0o777);
  const NOBODY = 65_534;
  const { answer } = await holder(context, directory, { uid: NOBODY });
  assert.match(answer, /^DIRECTORY_UNUSABLE .*readonly/);
});
