/** From runs to figures and goals. */
import type { PeerRun } from './peers/peer.ts';

/** The goals of the project: against rsyslog in the same round, and for memory. */
export const GOALS = { rateRatio: 2.5, cpuRatio: 0.6, residentMiB: 512 } as const;

export interface RunFigures {
  /** Records per second from the start of the process. */
  readonly recordsPerSecond: number;
  /** Records per second from the first byte of output. */
  readonly recordsPerSecondFromFirstOutput: number;
  /** User and system time of all threads over the whole life of the process. */
  readonly cpuMicrosPerRecord: number;
  readonly peakResidentMiB: number;
  readonly seconds: number;
  readonly records: number;
  readonly problems: readonly string[];
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function figuresOf(run: PeerRun, records: number): RunFigures {
  const seconds = (run.finishedMs - run.startedMs) / 1000;
  return {
    recordsPerSecond: Math.round(records / seconds),
    recordsPerSecondFromFirstOutput: Math.round((records * 1000) / (run.finishedMs - run.firstOutputMs)),
    cpuMicrosPerRecord: rounded((run.cpuSeconds * 1e6) / records),
    peakResidentMiB: Math.round(run.peakResidentBytes / 2 ** 20),
    seconds: rounded(seconds),
    records: run.records,
    problems: run.problems,
  };
}

/** Null for no values. */
export function spreadOf(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((left, right) => left - right);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return null;
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1);
  const median = middle.reduce((sum, value) => sum + value, 0) / middle.length;
  return { min: rounded(min), median: rounded(median), max: rounded(max) };
}

export interface Comparison {
  /** Ours divided by theirs, round by round. */
  readonly rateRatio: Spread | null;
  readonly cpuRatio: Spread | null;
}

/** Compares run by run: both lists hold the rounds in the same order. */
export function compare(ours: readonly RunFigures[], theirs: readonly RunFigures[]): Comparison {
  const ratios = (value: (figures: RunFigures) => number): number[] =>
    ours.flatMap((figures, round) => {
      const other = theirs[round];
      return other === undefined ? [] : [value(figures) / value(other)];
    });
  return {
    rateRatio: spreadOf(ratios((figures) => figures.recordsPerSecond)),
    cpuRatio: spreadOf(ratios((figures) => figures.cpuMicrosPerRecord)),
  };
}

export interface GoalResult {
  readonly goal: number;
  /** Null when it could not be measured. */
  readonly measured: number | null;
  readonly reached: boolean | null;
}

/** The ratios count by their median, memory by its worst run. */
export function judge(
  ours: readonly RunFigures[],
  againstRsyslog: Comparison,
): Record<keyof typeof GOALS, GoalResult> {
  const rate = againstRsyslog.rateRatio?.median ?? null;
  const cpu = againstRsyslog.cpuRatio?.median ?? null;
  const memory = spreadOf(ours.map((figures) => figures.peakResidentMiB))?.max ?? null;
  return {
    rateRatio: {
      goal: GOALS.rateRatio,
      measured: rate,
      reached: rate === null ? null : rate >= GOALS.rateRatio,
    },
    cpuRatio: { goal: GOALS.cpuRatio, measured: cpu, reached: cpu === null ? null : cpu <= GOALS.cpuRatio },
    residentMiB: {
      goal: GOALS.residentMiB,
      measured: memory,
      reached: memory === null ? null : memory <= GOALS.residentMiB,
    },
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
