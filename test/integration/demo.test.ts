import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('npm run demo', () => {
  it('fills every file, verifies them and ends by itself with DEMO_SECONDS', async () => {
    const demo = startDemo({ DEMO_SECONDS: '6' });
    const { output, code } = await endOf(demo);
    assert.equal(code, 0, output);
    assert.match(output, /[1-9]\d* stored, \d+ dropped, lag \d+ \| service_logs [1-9]/);
    assert.match(output, /Everything fits/);
  });

  it('stops everything at SIGINT, and says where the files are', async () => {
    const demo = startDemo({});
    const firstStatus = new Promise<void>((resolve) => {
      demo.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.includes('stored')) resolve();
      });
    });
    const ending = endOf(demo);
    await Promise.race([firstStatus, ending]);
    demo.kill('SIGINT');
    const { output, code } = await ending;
    assert.equal(code, 0, output);
    assert.match(output, /The service and the generator are stopped\./);
    assert.match(output, /npx log-consumer verify logs\/demo-/);
  });
});

function startDemo(environment: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [join(ROOT, 'scripts/demo/run.ts')], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Waits for the end, removes what the demo wrote, and returns what it printed. */
async function endOf(demo: ChildProcess): Promise<{ output: string; code: number }> {
  assert.ok(demo.stdout);
  const [output, [code]] = await Promise.all([text(demo.stdout), once(demo, 'exit')]);
  const directory = /logs\/demo-\d+/.exec(output)?.[0];
  if (directory !== undefined) {
    for (const suffix of ['', '.service.log', '.generator.log']) {
      await rm(join(ROOT, directory + suffix), { recursive: true, force: true });
    }
    assert.ok(!existsSync(join(ROOT, directory)));
  }
  return { output, code };
}
