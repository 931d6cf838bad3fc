/** Starts `explore.ts` of this checkout or of a broken copy, and reads what it found. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import type { Summary } from './explore.ts';

const run = promisify(execFile);

export interface Exploration {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly seconds: number;
}

export async function exploreIn(
  directory: string,
  { firstSeed, seeds, seconds }: Exploration,
): Promise<Summary> {
  const script = join(directory, 'test/simulation/explore.ts');
  const args = [script, firstSeed, seeds, seconds].map(String);
  const { stdout } = await run(execPath, args, { cwd: directory, maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Summary;
}

/** What is printed of a schedule that went wrong. */
export function tellFailure({ failed }: Summary): string {
  if (failed === undefined) return 'no schedule failed';
  const { seed, problems, story } = failed;
  const repeat = `FAILURE_SEED=${seed} node --test test/simulation/simulation.test.ts`;
  return [`seed ${seed} (repeat: ${repeat})`, ...problems.slice(0, 10), ...story].join('\n');
}
