/** What a process leaves that is killed at any of its calls to the file system. */
import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hookFileSystem } from './file-system-hook.ts';

/**
 * Copies `directory` just before the first call of `work` and every call that finds it changed, and once more
 * at the end. The copies' paths begin with `prefix`.
 * @returns the copies, in order
 */
export async function copiesDuring(
  directory: string,
  prefix: string,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const copies: string[] = [];
  let last = '';
  const copy = (call: string): void => {
    const state = stateOf(directory);
    if (state === last) return;
    last = state;
    const target = `${prefix}-${copies.length}-${call}`;
    cpSync(directory, target, { recursive: true });
    copies.push(target);
  };
  const release = hookFileSystem((call) => copy(call));
  try {
    await work();
  } finally {
    release();
  }
  copy('end');
  return copies;
}

/** Names and sizes of all files: enough where files are only added, renamed and removed. */
function stateOf(directory: string): string {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return names.map((name) => `${name} ${statSync(join(directory, name)).size}`).join('\n');
}
