/**
 * What a process holds over a long time: resident memory and open descriptors, read from /proc once a
 * second. A leak shows as a growth from one part of the run to the next; the first part is left out,
 * because caches, connections and compiled code are still coming in.
 */
import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 1000;

export interface Sample {
  readonly residentBytes: number;
  readonly descriptors: number;
}

/** Medians of the second and of the last third of a run, and the most that was seen in either. */
export interface Trend {
  readonly before: number;
  readonly after: number;
  readonly most: number;
}

export class ProcessSamples {
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  /** Samples until `stop`. @param pid of a process that lives as long */
  constructor(pid: number) {
    this.#timer = setInterval(() => this.#samples.push(sampleOf(pid)), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  trend(figure: keyof Sample): Trend {
    return trendOf(this.#samples.map((sample) => sample[figure]));
  }
}

/** @throws Error when there are fewer than three values */
export function trendOf(values: readonly number[]): Trend {
  const third = Math.floor(values.length / 3);
  if (third === 0) throw new Error(`${values.length} samples are too few for a trend`);
  const before = values.slice(third, 2 * third);
  const after = values.slice(2 * third);
  return { before: median(before), after: median(after), most: Math.max(...before, ...after) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function sampleOf(pid: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    residentBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}
