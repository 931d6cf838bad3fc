/** Runs one command of the program to its end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { PROJECT_DIRECTORY } from './service.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** @param input what the command finds on its standard input */
export async function runCommandLine(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input: string | Uint8Array = '',
): Promise<CommandResult> {
  const child = spawn(process.execPath, ['bin/log-consumer.mjs', ...args], {
    cwd: PROJECT_DIRECTORY,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'pipe',
    timeout: 60_000,
  });
  child.stdin.end(input);
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, output, errors };
}
