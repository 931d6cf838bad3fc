/** Libraries that stand between a service and the C library, compiled from shim/*.c. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandIsThere } from './system-command.ts';

const FLAGS = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror'];

const compiled = new Map<string, string>();

/**
 * Compiles a library, once per test file.
 * @param name of the source in shim/, without suffix
 * @returns the path for LD_PRELOAD; undefined when there is no C compiler and none can be installed:
 *   the test is skipped
 */
export function shimLibrary(context: TestContext, name: 'faults' | 'clock' | 'synced'): string | undefined {
  if (process.platform === 'linux' && commandIsThere('gcc', ['gcc', 'libc6-dev'])) {
    const library = compiled.get(name) ?? compile(name);
    compiled.set(name, library);
    return library;
  }
  context.skip('standing between the service and the system needs Linux and a C compiler');
  return undefined;
}

function compile(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `${name}-library-`));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const source = fileURLToPath(new URL(`../shim/${name}.c`, import.meta.url));
  const target = join(directory, `${name}.so`);
  const { status, stderr } = spawnSync('gcc', [...FLAGS, '-o', target, source, '-ldl']);
  if (status !== 0) throw new Error(`${name}.c does not compile: ${String(stderr)}`);
  return target;
}
