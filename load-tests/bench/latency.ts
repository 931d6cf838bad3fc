/**
 * `npm run bench:latency`: how long a record takes from Kafka to the disk at a steady 20,000 records/s
 * with a checkpoint every 100 ms. Described in docs/benchmarks.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { runGenerate } from '../../src/generate/generate.ts';
import { histogramQuantile } from './histogram.ts';
import { describeMachine } from './machine.ts';
import { createTopic } from './preload.ts';
import { checkpointedRecords, type RunningService, startService } from './service.ts';
import { readSettings } from './settings.ts';
import { waitFor } from './watch.ts';
import { type Workbench, withWorkbench } from './workbench.ts';

const RATE_PER_SECOND = 20_000;
const DEFAULT_SECONDS = 30;
const CHECKPOINT_INTERVAL = '100ms';
const MALFORMED_SHARE = 0.001;
const GOAL_P99_MS = 300;
const SEED = 1;
const START_TIMEOUT_MS = 30_000;
const DRAIN_TIMEOUT_MS = 30_000;
/** The group forms and the first checkpoint is taken before records come. */
const SETTLE_MS = 3000;

const settings = readSettings(process.env, RATE_PER_SECOND * DEFAULT_SECONDS);
process.exitCode = await withWorkbench(settings, async (bench) => {
  const topic = `latency-${process.pid}`;
  await createTopic(bench.broker, topic);
  await bench.inDirectory(topic, async (directory) => {
    const service = await startService({
      broker: bench.broker,
      topic,
      group: topic,
      directory,
      profile: settings.profile,
      settings: { LOG_CONSUMER_OUTPUT_CHECKPOINT_INTERVAL: CHECKPOINT_INTERVAL },
    });
    try {
      await measure(bench, service, topic);
    } finally {
      await service.child.stop();
    }
  });
});

async function measure(bench: Workbench, service: RunningService, topic: string): Promise<void> {
  const limits = { signal: bench.signal, timeoutMs: START_TIMEOUT_MS, pollMs: 100 };
  await waitFor(service.child, 'start of the service', limits, () => metricsOf(service));
  await sleep(SETTLE_MS);
  bench.say(
    `Generating ${settings.records.toLocaleString('en')} records at ${RATE_PER_SECOND.toLocaleString('en')}/s ...`,
  );
  const generated = await runGenerate(
    {
      target: {
        kind: 'kafka',
        tls: null,
        sasl: null,
        brokers: [bench.broker],
        topic,
        key: 'none',
        createPartitions: null,
      },
      rate: RATE_PER_SECOND,
      count: settings.records,
      seed: SEED,
      malformedShare: MALFORMED_SHARE,
      signal: bench.signal,
    },
    () => undefined,
  );
  bench.signal.throwIfAborted();
  await waitFor(service.child, 'last checkpoint', { ...limits, timeoutMs: DRAIN_TIMEOUT_MS }, async () =>
    (await checkpointedRecords(service.outputDirectory)) >= generated.records ? true : null,
  );
  const metrics = (await metricsOf(service)) ?? '';
  const quantile = (part: number): number =>
    Math.round(histogramQuantile(metrics, 'processing_latency', part) * 10) / 10;
  const result = {
    machine: describeMachine(),
    records: generated.records,
    recordsPerSecond: Math.round(generated.records / (generated.elapsedMs / 1000)),
    checkpointInterval: CHECKPOINT_INTERVAL,
    processingLatencyMs: {
      p50: quantile(0.5),
      p90: quantile(0.9),
      p99: quantile(0.99),
      p999: quantile(0.999),
    },
    goals: { p99Ms: { goal: GOAL_P99_MS, reached: quantile(0.99) < GOAL_P99_MS } },
  };
  bench.say(
    `${result.recordsPerSecond.toLocaleString('en')} records/s: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, ` +
      `goal below ${GOAL_P99_MS} ms: ${result.goals.p99Ms.reached ? 'reached' : 'NOT reached'}`,
  );
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** Null while the service does not answer yet. */
async function metricsOf({ metricsUrl }: RunningService): Promise<string | null> {
  try {
    return await (await fetch(metricsUrl)).text();
  } catch {
    return null;
  }
}
