/** What a process leaves that is killed at any of its calls to the file system. */
import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hookFileSystem } from './file-system-hook.ts';

/**
 * Copies `directory` into `parent` just before every call of `work` that finds it changed, and once more
 * at the end.
 * @returns the copies, in order
 */
export async function copiesDuring(
  directory: string,
  parent: string,
  work: () => Promise<unknown>,
): Promise<string[]> {
  const copies: string[] = [];
  let last = stateOf(directory);
  const copy = (call: string): void => {
    const state = stateOf(directory);
    if (state === last) return;
    last = state;
    const target = join(parent, `copy-${copies.length}-${call}`);
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

function stateOf(directory: string): string {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return names.map((name) => `${name} ${statSync(join(directory, name)).size}`).join('\n');
}
