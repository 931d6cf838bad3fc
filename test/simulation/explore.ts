/**
 * Simulates one seed after the other, in a process of its own since it replaces timers and file system:
 *
 *   node test/simulation/explore.ts <first seed> <seeds> <seconds>
 *
 * Stops at the first seed with a problem. Prints a `Summary` as JSON.
 */
import { createHash } from 'node:crypto';
import { argv, stdout } from 'node:process';
import { type Outcome, runSchedule } from './schedule.ts';

export interface Summary {
  /** Seeds that were simulated, the one with the problem included. */
  readonly schedules: number;
  readonly events: number;
  readonly seconds: number;
  /** Of everything that happened, to compare two runs. */
  readonly fingerprint: string;
  readonly failed: Outcome | undefined;
}

export async function explore(first: number, seeds: number, seconds: number): Promise<Summary> {
  const startedAt = performance.now();
  const elapsed = (): number => (performance.now() - startedAt) / 1000;
  let schedules = 0;
  let events = 0;
  const stories = createHash('sha256');
  let failed: Outcome | undefined;
  while (schedules < seeds && failed === undefined && elapsed() < seconds) {
    const outcome = await runSchedule(first + schedules);
    schedules += 1;
    events += outcome.events;
    stories.update(outcome.story.join('\n'));
    if (outcome.problems.length > 0) failed = outcome;
  }
  return { schedules, events, seconds: elapsed(), fingerprint: stories.digest('hex'), failed };
}

if (import.meta.main) {
  const [first = 1, seeds = 1000, seconds = 60] = argv.slice(2).map(Number);
  stdout.write(`${JSON.stringify(await explore(first, seeds, seconds))}\n`);
}
