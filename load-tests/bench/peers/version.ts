/** Asks a program for its version. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first match of `pattern` in what the program prints; null when it cannot be started. */
export async function versionOf(command: string, flag: string, pattern: RegExp): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(command, [flag]);
    return pattern.exec(stdout + stderr)?.[1] ?? 'unknown';
  } catch {
    return null; // not installed, which is an answer
  }
}
