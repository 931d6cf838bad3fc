import type { Histogram, Registry } from 'prom-client';

interface HistogramValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export interface WeightedHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds in ascending order, without infinity. */
  readonly buckets: readonly number[];
}

/**
 * A Prometheus histogram without labels that takes many equal observations at once.
 *
 * prom-client's own takes one value per call, which is one call per record; we know how many records of a
 * unit share a timestamp. What it prints is identical (proved by a test against prom-client's).
 */
export class WeightedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #buckets: readonly number[];
  /** Observations per bucket, not cumulative; the last one is everything above the highest bound. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(options: WeightedHistogramOptions) {
    this.name = options.name;
    this.help = options.help;
    this.#buckets = options.buckets;
    this.#counts = new Float64Array(options.buckets.length + 1);
  }

  /** `count` observations of `value`; the cost does not depend on `count`. */
  observe(value: number, count: number): void {
    const found = this.#buckets.findIndex((bound) => value <= bound);
    const bucket = found === -1 ? this.#buckets.length : found;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#sum += value * count;
  }

  /** What the registry prints. */
  async get(): Promise<{
    name: string;
    help: string;
    type: string;
    aggregator: string;
    values: HistogramValue[];
  }> {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator, values: this.#values() };
  }

  /** Forgets all observations; part of what a registry expects of a metric. */
  reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }

  /** The registry's types know prom-client's four classes only, but it calls nothing except `get` and `reset`. */
  registerIn(registry: Registry): void {
    registry.registerMetric(this as unknown as Histogram);
  }

  #values(): HistogramValue[] {
    const bucketName = `${this.name}_bucket`;
    let cumulative = 0;
    const values: HistogramValue[] = this.#buckets.map((bound, index) => {
      cumulative += this.#counts[index] ?? 0;
      return { metricName: bucketName, labels: { le: bound }, value: cumulative };
    });
    const total = cumulative + (this.#counts.at(-1) ?? 0);
    return [
      ...values,
      { metricName: bucketName, labels: { le: '+Inf' }, value: total },
      { metricName: `${this.name}_sum`, labels: {}, value: this.#sum },
      { metricName: `${this.name}_count`, labels: {}, value: total },
    ];
  }
}
