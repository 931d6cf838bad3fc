import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { PROCESSING_LATENCY_BUCKETS } from '../../src/telemetry/metrics.ts';
import { WeightedHistogram } from '../../src/telemetry/weighted-histogram.ts';

const OPTIONS = {
  name: 'processing_latency',
  help: 'A "quoted"\nhelp text.',
  buckets: PROCESSING_LATENCY_BUCKETS,
};

interface Observation {
  readonly value: number;
  readonly count: number;
}

function ours(observations: readonly Observation[], labels: object = {}): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  const histogram = new WeightedHistogram(OPTIONS);
  histogram.registerIn(registry);
  for (const { value, count } of observations) histogram.observe(value, count);
  return registry.metrics();
}

function promClients(observations: readonly Observation[], labels: object = {}): Promise<string> {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  const histogram = new Histogram({ ...OPTIONS, buckets: [...OPTIONS.buckets], registers: [registry] });
  for (const { value, count } of observations) {
    for (let time = 0; time < count; time += 1) histogram.observe(value);
  }
  return registry.metrics();
}

test('what it prints is what prom-client prints for the same observations', async () => {
  assert.equal(await ours([]), await promClients([]));
  const bounds = PROCESSING_LATENCY_BUCKETS.map((value) => ({ value, count: 2 }));
  assert.equal(await ours(bounds, { instance: 'a' }), await promClients(bounds, { instance: 'a' }));
  const observation = fc.record({ value: fc.nat({ max: 5_000_000 }), count: fc.integer({ min: 1, max: 5 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(observation, { maxLength: 30 }), async (observations) => {
      assert.equal(await ours(observations), await promClients(observations));
    }),
  );
});

test('a million equal observations are one', async () => {
  assert.match(await ours([{ value: 120, count: 1_000_000 }]), /_bucket\{le="150"\} 1000000\n/);
});

test('a registry can reset it', async () => {
  const registry = new Registry();
  const histogram = new WeightedHistogram(OPTIONS);
  histogram.registerIn(registry);
  histogram.observe(7, 3);
  registry.resetMetrics();
  assert.equal(await registry.metrics(), await promClients([]));
});
