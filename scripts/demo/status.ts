/** What the demo shows while it runs: counters of the service's metrics, and the files it writes. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The files that a healthy demo fills, in the order in which they are shown. */
export const DEMO_FILES = [
  'service_logs',
  'error_logs',
  'performance_logs',
  'audit_logs',
  'quarantine',
] as const;

export interface Status {
  readonly processed: number;
  readonly dropped: number;
  readonly lag: number;
  /** Bytes of each active file; a file that does not exist yet has 0. */
  readonly fileBytes: Readonly<Record<(typeof DEMO_FILES)[number], number>>;
}

/** Reads the counters from the service's ops port; undefined while it does not answer. */
export async function readStatus(opsPort: number, directory: string): Promise<Status | undefined> {
  const metrics = await fetchMetrics(opsPort);
  if (metrics === undefined) return undefined;
  const sizes = await Promise.all(
    DEMO_FILES.map(async (name) => [name, await sizeOf(join(directory, `${name}.jsonl`))] as const),
  );
  return {
    processed: sumOf(metrics, 'logs_processed_total'),
    dropped: sumOf(metrics, 'logs_dropped_total'),
    lag: sumOf(metrics, 'kafka_consumer_lag'),
    fileBytes: Object.fromEntries(sizes) as Status['fileBytes'],
  };
}

/** One line for a terminal. */
export function describeStatus(status: Status): string {
  const files = DEMO_FILES.map((name) => `${name} ${size(status.fileBytes[name])}`).join(', ');
  return `${status.processed} stored, ${status.dropped} dropped, lag ${status.lag} | ${files}`;
}

async function fetchMetrics(port: number): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(2000) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}

/** The sum over all labels of a metric in the Prometheus text format. */
function sumOf(metrics: string, name: string): number {
  const samples = metrics.matchAll(new RegExp(`^${name}(?:\\{[^\\n]*\\})? (\\S+)`, 'gm'));
  return Array.from(samples, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0);
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.size ?? 0;
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
