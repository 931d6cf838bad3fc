/** Quantiles of a histogram in Prometheus' text format. */

interface Bucket {
  readonly upperBound: number;
  /** Observations at or below the bound. */
  readonly count: number;
}

/**
 * The quantile (0 to 1) of the histogram `name`, over all its label sets: interpolated inside its
 * bucket, and the highest finite bound when it lies beyond, as `histogram_quantile` of Prometheus.
 * NaN when nothing was observed.
 */
export function histogramQuantile(metrics: string, name: string, quantile: number): number {
  const buckets = bucketsOf(metrics, name);
  const rank = quantile * (buckets.at(-1)?.count ?? 0);
  if (rank === 0) return Number.NaN;
  const index = buckets.findIndex(({ count }) => count >= rank);
  const lower = buckets[index - 1] ?? { upperBound: 0, count: 0 };
  const bucket = buckets[index];
  if (bucket === undefined || bucket.upperBound === Number.POSITIVE_INFINITY) return lower.upperBound;
  const part = (rank - lower.count) / (bucket.count - lower.count);
  return lower.upperBound + (bucket.upperBound - lower.upperBound) * part;
}

function bucketsOf(metrics: string, name: string): Bucket[] {
  const counts = new Map<number, number>();
  for (const [, labels = '', value = ''] of metrics.matchAll(
    new RegExp(`^${name}_bucket\\{([^}]*)\\} (\\S+)`, 'gm'),
  )) {
    const bound = /le="([^"]+)"/.exec(labels)?.[1];
    const upperBound = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
    counts.set(upperBound, (counts.get(upperBound) ?? 0) + Number(value));
  }
  return [...counts]
    .map(([upperBound, count]) => ({ upperBound, count }))
    .sort((left, right) => left.upperBound - right.upperBound);
}
