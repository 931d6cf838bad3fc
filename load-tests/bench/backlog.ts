/**
 * `npm run bench:backlog`: whether memory stays flat while a large backlog is worked off. Described in
 * docs/benchmarks.md.
 */
import { GOALS, spreadOf } from './figures.ts';
import { describeMachine } from './machine.ts';
import { preloadTopic } from './preload.ts';
import { residentBytes } from './process-tree.ts';
import { checkpointedRecords, type RunningService, startService } from './service.ts';
import { readSettings } from './settings.ts';
import { waitFor } from './watch.ts';
import { type Workbench, withWorkbench } from './workbench.ts';

const DEFAULT_RECORDS = 10_000_000;
const SAMPLE_MS = 1000;
const SLOWEST_RECORDS_PER_SECOND = 15_000;
/** How much larger the last quarter's mean may be than the first's. */
const MAX_GROWTH = 1.1;

const settings = readSettings(process.env, DEFAULT_RECORDS);
process.exitCode = await withWorkbench(settings, async (bench) => {
  const name = `backlog-${process.pid}`;
  bench.say(`Filling a topic with ${settings.records.toLocaleString('en')} records ...`);
  await preloadTopic(bench.broker, name, settings.records, bench.signal);
  await bench.inDirectory(name, async (directory) => {
    const service = await startService({
      broker: bench.broker,
      topic: name,
      group: name,
      directory,
      profile: settings.profile,
      settings: {},
    });
    try {
      report(bench, await sampleUntilDone(bench, service));
    } finally {
      await service.child.stop();
    }
  });
});

/** Resident memory in MiB, once a second from the first durable record to the last. */
async function sampleUntilDone(bench: Workbench, service: RunningService): Promise<number[]> {
  const samples: number[] = [];
  const timeoutMs = (settings.records / SLOWEST_RECORDS_PER_SECOND) * 1000 + 60_000;
  await waitFor(
    service.child,
    'end of the backlog',
    { signal: bench.signal, timeoutMs, pollMs: SAMPLE_MS },
    async () => {
      const done = await checkpointedRecords(service.outputDirectory);
      if (done === 0) return null;
      const residentMiB = Math.round((await residentBytes(service.child.pid)) / 2 ** 20);
      bench.say(`  ${done.toLocaleString('en').padStart(12)} records  ${residentMiB} MiB`);
      samples.push(residentMiB);
      return done >= settings.records ? true : null;
    },
  );
  return samples;
}

function report(bench: Workbench, samples: readonly number[]): void {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const firstQuarterMiB = meanOf(samples.slice(0, quarter));
  const lastQuarterMiB = meanOf(samples.slice(-quarter));
  const highestMiB = Math.max(...samples);
  const growth = Math.round((lastQuarterMiB / firstQuarterMiB) * 1000) / 1000;
  const result = {
    machine: describeMachine(),
    records: settings.records,
    residentMiB: { firstQuarterMiB, lastQuarterMiB, ...spreadOf(samples) },
    growth,
    goals: {
      flat: { goal: MAX_GROWTH, measured: growth, reached: growth <= MAX_GROWTH },
      residentMiB: {
        goal: GOALS.residentMiB,
        measured: highestMiB,
        reached: highestMiB <= GOALS.residentMiB,
      },
    },
    samples,
  };
  bench.say(
    `Resident memory: ${firstQuarterMiB} MiB in the first quarter, ${lastQuarterMiB} MiB in the last ` +
      `(${growth} times), at most ${highestMiB} MiB: ${result.goals.flat.reached ? 'flat' : 'NOT flat'}`,
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function meanOf(values: readonly number[]): number {
  return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
}
