/**
 * The ingest loop as a whole, simulated: instances that share a group, a broker, a network and disks that
 * fail by a seed. Whatever happens in which order, every record is in the end in the files of exactly one
 * instance, and no offset is ever committed before its records would survive a power loss.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { env } from 'node:process';
import { test } from 'node:test';
import { report } from '../failure/helpers/report.ts';
import { scaled } from '../failure/helpers/scale.ts';
import { PROJECT_DIRECTORY } from '../helpers/service.ts';
import { exploreIn, tellFailure } from './exploration.ts';

test('every record is stored once, whatever fails in which order', async (context) => {
  const given = env['FAILURE_SEED'];
  const firstSeed = given === undefined ? randomInt(2 ** 31) : Number(given);
  context.diagnostic(`first seed ${firstSeed}`);
  const seeds = given === undefined ? scaled({ ci: 3000, full: 100_000 }) : 1;
  const seconds = scaled({ ci: 20, full: 600 });
  const summary = await exploreIn(PROJECT_DIRECTORY, { firstSeed, seeds, seconds });
  assert.equal(summary.failed, undefined, tellFailure(summary));
  const { schedules, events } = summary;
  report(context, {
    row: 0,
    failure: 'simulated crashes, power losses, disk faults, rebalances, lost requests',
    seed: firstSeed,
    figures: {
      schedules,
      events,
      seconds: Math.round(summary.seconds),
      'schedules per second': Math.round(schedules / summary.seconds),
    },
  });
});

test('a seed always gives the same schedule', async () => {
  const stories = await Promise.all(
    [1, 2].map(() => exploreIn(PROJECT_DIRECTORY, { firstSeed: 1, seeds: 100, seconds: 600 })),
  );
  const [first, second] = stories.map(({ schedules, events, fingerprint }) => [
    schedules,
    events,
    fingerprint,
  ]);
  assert.deepEqual(first, second);
});
