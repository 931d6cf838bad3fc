/** What is compared: a program that copies the topic into files. */
import type { PreloadedTopic } from '../preload.ts';

export interface RunContext {
  readonly broker: string;
  readonly topic: PreloadedTopic;
  /** Empty, and this run's alone. */
  readonly directory: string;
  /** Names of consumer groups begin with it; never used before. */
  readonly runId: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** One run. Instants are milliseconds since the epoch. */
export interface PeerRun {
  readonly startedMs: number;
  /** When the first byte stood in the output file. */
  readonly firstOutputMs: number;
  /** When the last record was where the peer considers it safe; never later than that, idle waiting is left out. */
  readonly finishedMs: number;
  /** Lines found in the output afterwards. */
  readonly records: number;
  readonly cpuSeconds: number;
  readonly peakResidentBytes: number;
  /** What is wrong with the output; empty when all is well. */
  readonly problems: readonly string[];
}

export interface Peer {
  readonly name: string;
  /** The installed version, or null when it is not installed. */
  version(): Promise<string | null>;
  run(context: RunContext): Promise<PeerRun>;
}

/** The problem of a wrong number of lines, if there is one. */
export function countProblems(found: number, expected: number): string[] {
  return found === expected ? [] : [`${found} lines instead of ${expected}`];
}
