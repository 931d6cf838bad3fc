/** A child process whose whole life is measured. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSecondsOfEndedChildren, peakResidentBytes } from './process-tree.ts';

const MEMORY_SAMPLE_MS = 200;
const GRACE_MS = 30_000;
const LOG_TAIL_CHARACTERS = 2000;

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Where standard error goes, and standard output too unless `outputFile` is given. */
  readonly logFile: string;
  readonly outputFile?: string;
}

export interface ChildUsage {
  readonly cpuSeconds: number;
  readonly peakResidentBytes: number;
}

export interface MeasuredChild {
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  /** How the process ended; null while it runs. */
  ending(): string | null;
  /** Waits until the process ends of its own accord. */
  ended(): Promise<string>;
  /** Ends the process, if it still runs, and returns what it used from start to end. */
  stop(): Promise<ChildUsage>;
  /** The last lines the process wrote to its log. */
  logTail(): Promise<string>;
}

/** Starts the process. Only one measured child may run at a time, as processor time is taken as a difference. */
export async function startMeasured(options: ChildOptions): Promise<MeasuredChild> {
  const cpuBefore = await cpuSecondsOfEndedChildren();
  const log = openSync(options.logFile, 'a');
  const output = options.outputFile === undefined ? log : openSync(options.outputFile, 'a');
  const startedMs = Date.now();
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', output, log],
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  closeSync(log);
  if (output !== log) closeSync(output);
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${options.command}`);

  let ending: string | null = null;
  child.once('exit', (code, signal) => {
    ending = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  });
  let peakBytes = 0;
  const sample = async (): Promise<void> => {
    peakBytes = Math.max(peakBytes, await peakResidentBytes(pid));
  };
  const sampling = sampleUntil(() => ending !== null, sample);
  const ended = async (): Promise<string> => {
    if (ending === null) await once(child, 'exit');
    return ending ?? 'ended';
  };

  return {
    pid,
    startedMs,
    ending: () => ending,
    ended,
    async stop() {
      if (ending === null) {
        await sample();
        child.kill('SIGTERM');
        const late = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
        await ended();
        clearTimeout(late);
      }
      await sampling;
      return { cpuSeconds: (await cpuSecondsOfEndedChildren()) - cpuBefore, peakResidentBytes: peakBytes };
    },
    async logTail() {
      return (await readFile(options.logFile, 'utf8')).slice(-LOG_TAIL_CHARACTERS).trim();
    },
  };
}

async function sampleUntil(over: () => boolean, sample: () => Promise<void>): Promise<void> {
  while (!over()) {
    await sample();
    await sleep(MEMORY_SAMPLE_MS);
  }
}
