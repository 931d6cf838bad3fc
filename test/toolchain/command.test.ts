import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A stand-in for the service: says how it was called, and ends as the first argument tells it to. */
const MAIN = `
export async function main(argv) {
  const alive = setInterval(() => {}, 1000);
  const ended = new Promise((resolve) => process.once('SIGTERM', () => resolve(5)));
  console.log(JSON.stringify({ node: Number.parseInt(process.versions.node, 10), argv }));
  if (argv[0] === 'die') process.kill(process.pid, 'SIGKILL');
  const code = argv[0] === 'wait' ? await ended : Number(argv[0]);
  clearInterval(alive);
  return code;
}
`;

const oldNode = findOldNode();

describe('the log-consumer command', () => {
  let project = '';
  const command = () => join(project, 'bin', 'log-consumer.mjs');

  before(async () => {
    project = await mkdtemp(join(tmpdir(), 'command-'));
    await cp(join(ROOT, 'bin'), join(project, 'bin'), { recursive: true });
    await mkdir(join(project, 'src'));
    await writeFile(join(project, 'package.json'), '{"type":"module"}');
    await writeFile(join(project, 'src', 'main.ts'), MAIN);
    await symlink(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  });
  after(() => rm(project, { recursive: true }));

  it('hands arguments to main and returns its exit code', async () => {
    const failure = await run(process.execPath, [command(), '3', '--x']).catch((error) => error);
    assert.equal(failure.code, 3);
    assert.deepEqual(JSON.parse(failure.stdout).argv, ['3', '--x']);
  });

  describe('under an old Node', { skip: oldNode === undefined ? 'there is no old Node here' : false }, () => {
    const node = oldNode ?? '';

    it('runs itself with the Node of the checkout', async () => {
      const failure = await run(node, [command(), '3', '--x']).catch((error) => error);
      assert.equal(failure.code, 3, failure.stderr);
      assert.deepEqual(JSON.parse(failure.stdout), { node: 26, argv: ['3', '--x'] });
    });

    it('passes signals on and waits for the end', async () => {
      const child = spawn(node, [command(), 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [5, null]);
    });

    it('reports an end by a signal as a shell does', async () => {
      const failure = await run(node, [command(), 'die']).catch((error) => error);
      assert.equal(failure.code, 128 + 9);
    });

    it('says in one sentence what is missing when there is no newer Node', async () => {
      const bare = await mkdtemp(join(tmpdir(), 'command-bare-'));
      await cp(join(ROOT, 'bin'), join(bare, 'bin'), { recursive: true });
      const failure = await run(node, [join(bare, 'bin', 'log-consumer.mjs')]).catch((error) => error);
      await rm(bare, { recursive: true });
      assert.equal(failure.code, 1);
      assert.match(failure.stderr, /^log-consumer needs Node 26 or newer and this is v\d+[^\n]+\n$/);
    });
  });

  it('runs the built service where there are no sources', async () => {
    const built = await mkdtemp(join(tmpdir(), 'command-built-'));
    await cp(join(ROOT, 'bin'), join(built, 'bin'), { recursive: true });
    await mkdir(join(built, 'dist', 'src'), { recursive: true });
    await writeFile(join(built, 'package.json'), '{"type":"module"}');
    await writeFile(join(built, 'dist', 'src', 'main.js'), MAIN);
    const { stdout } = await run(process.execPath, [join(built, 'bin', 'log-consumer.mjs'), '0']);
    await rm(built, { recursive: true });
    assert.deepEqual(JSON.parse(stdout).argv, ['0']);
  });
});

describe('the link for npx', () => {
  it('is made after an install, and again after the next one', async () => {
    await withInstalledProject(async (project, link) => {
      await run(process.execPath, [join(project, 'scripts', 'link-command.mjs')]);
      await run(process.execPath, [join(project, 'scripts', 'link-command.mjs')]);
      assert.equal(await readlink(link), '../../bin/log-consumer.mjs');
    });
  });

  it('does not fail the install where it cannot be made', async () => {
    await withInstalledProject(async (project, link) => {
      await mkdir(link); // a directory in the way
      const { stderr } = await run(process.execPath, [join(project, 'scripts', 'link-command.mjs')]);
      assert.match(stderr, /^npx log-consumer will not work here: [^\n]+\n$/);
    });
  });
});

async function withInstalledProject(work: (project: string, link: string) => Promise<void>): Promise<void> {
  const project = await mkdtemp(join(tmpdir(), 'installed-'));
  try {
    await mkdir(join(project, 'node_modules', '.bin'), { recursive: true });
    await mkdir(join(project, 'scripts'));
    await cp(join(ROOT, 'scripts', 'link-command.mjs'), join(project, 'scripts', 'link-command.mjs'));
    await work(project, join(project, 'node_modules', '.bin', 'log-consumer'));
  } finally {
    await rm(project, { recursive: true });
  }
}

/** A Node of this machine that is too old for the service. */
function findOldNode(): string | undefined {
  const candidates = (process.env['PATH'] ?? '').split(':').map((directory) => join(directory, 'node'));
  return candidates.find((candidate) => {
    try {
      const version = execFileSync(candidate, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
      return Number.parseInt(version.slice(1), 10) < 26;
    } catch {
      return false;
    }
  });
}
