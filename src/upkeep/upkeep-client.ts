/**
 * The ingest process's end of the upkeep process: starts it, starts it anew when it dies, and knows what it
 * has to do. Nothing it does or fails to do holds ingestion up.
 *
 * Only this end says what is sealed. The archive alone does not tell: a segment that was closed a moment ago
 * can become the active file again, as long as the group has not taken the checkpoint that closed it.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { UPKEEP_HEAP_MIB } from '../core/limits.ts';
import { errorFrom } from '../core/upkeep-error.ts';
import type { UpkeepEvent, UpkeepJobEvent, UpkeepOptions, UpkeepRequest } from '../core/upkeep-messages.ts';
import { workerFile } from '../core/worker-file.ts';
import { Backoff, type BackoffLimits } from '../resilience/backoff.ts';
import { plainReplaySegments } from '../storage/replay-journal.ts';
import { unsealedSegments } from './seal/unsealed.ts';

export interface UpkeepObserver {
  readonly upkeepRunning: (running: boolean) => void;
  readonly upkeepDied: (reason: string, restartInMs: number) => void;
  readonly sealed: (path: string, plainBytes: number, sealedBytes: number, durationMs: number) => void;
  readonly sealFailed: (path: string, error: unknown, retryInMs: number | null) => void;
  readonly sealBacklog: (files: number) => void;
  readonly upkeepJob: (event: UpkeepJobEvent) => void;
  readonly sealCircuit: (state: 'closed' | 'open' | 'half_open', error: unknown) => void;
}

/** A process that has run so long did not die of its start. */
const HEALTHY_MS = 60_000;
/** How often it is told whether ingestion is quiet, when that changes. */
const PACE_MS = 200;
/** How long a stop waits for what is in work to be given up. */
const STOP_MS = 5000;

export class UpkeepClient {
  readonly #options: UpkeepOptions;
  readonly #observer: UpkeepObserver;
  readonly #isQuiet: () => boolean;
  readonly #limits: BackoffLimits;
  #pauses: Backoff;
  #child: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #pacing: NodeJS.Timeout | undefined;
  /** What the present process was told last. */
  #toldQuiet = true;
  /** Segments to be sealed, whichever process does it. */
  readonly #unsealed = new Set<string>();
  /** What the present process said of its own end. */
  #failure: string | undefined;
  #state: 'new' | 'running' | 'stopping' = 'new';

  /** @param isQuiet whether ingestion leaves the machine time for other work */
  constructor(
    options: UpkeepOptions,
    observer: UpkeepObserver,
    isQuiet: () => boolean,
    pauses: BackoffLimits,
  ) {
    this.#isQuiet = isQuiet;
    this.#options = options;
    this.#observer = observer;
    this.#limits = pauses;
    this.#pauses = new Backoff(pauses);
  }

  /** Starts it, and takes up what an earlier run left: all that is closed by now may be sealed. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#takeUp(unsealedSegments);
    this.#takeUp(plainReplaySegments);
    this.#fork();
    this.#pacing = setInterval(() => this.#pace(), PACE_MS);
    this.#pacing.unref();
    this.#reportBacklog();
  }

  /** @param path of a segment that will not be changed any more, without suffix */
  seal(path: string): void {
    this.#unsealed.add(path);
    this.#send({ kind: 'seal', path });
    this.#reportBacklog();
  }

  /** Ends it; what is in work is given up, and done again after the next start. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    clearTimeout(this.#restart);
    clearInterval(this.#pacing);
    const child = this.#child;
    if (child === undefined) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#send({ kind: 'stop' });
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(kill);
  }

  /** What cannot be listed now stays plain, and is looked for again at the next start. */
  #takeUp(list: (directory: string) => readonly string[]): void {
    const { directory } = this.#options;
    try {
      for (const path of list(directory)) this.#unsealed.add(path);
    } catch (error) {
      this.#observer.sealFailed(directory, error, null);
    }
  }

  #fork(): void {
    const startedAt = performance.now();
    const child = fork(fileURLToPath(workerFile(import.meta.url, 'upkeep')), [], {
      execArgv: [`--max-old-space-size=${UPKEEP_HEAP_MIB}`],
      // Buffers, undefined and Infinity survive it.
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    // Before it begins, and for whatever it starts.
    lowerPriority(child);
    this.#failure = undefined;
    this.#toldQuiet = true;
    child.on('message', (event: UpkeepEvent) => this.#onEvent(event));
    // A process that cannot be started has no exit.
    child.on('error', (error) => this.#ended(child, error.message, startedAt));
    child.on('exit', (code, signal) => {
      const end = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
      this.#ended(child, this.#failure ?? end, startedAt);
    });
    this.#send({ kind: 'start', options: this.#options });
    this.#pace();
    for (const path of this.#unsealed) this.#send({ kind: 'seal', path });
  }

  #ended(child: ChildProcess, reason: string, startedAt: number): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#observer.upkeepRunning(false);
    if (this.#state === 'stopping') return;
    if (performance.now() - startedAt > HEALTHY_MS) this.#pauses = new Backoff(this.#limits);
    const restartInMs = this.#pauses.next();
    this.#observer.upkeepDied(reason, restartInMs);
    this.#restart = setTimeout(() => this.#fork(), restartInMs);
    this.#restart.unref();
  }

  #pace(): void {
    const isQuiet = this.#isQuiet();
    if (isQuiet === this.#toldQuiet) return;
    this.#toldQuiet = isQuiet;
    this.#send({ kind: 'pace', isQuiet });
  }

  #send(request: UpkeepRequest): void {
    // A process that is just dying takes nothing more; its exit says the rest.
    this.#child?.send(request, () => undefined);
  }

  #onEvent(event: UpkeepEvent): void {
    const observer = this.#observer;
    switch (event.kind) {
      case 'ready':
        observer.upkeepRunning(true);
        break;
      case 'failed':
        this.#failure = event.error.message;
        break;
      case 'sealed':
        this.#done(event.segment);
        observer.sealed(event.path, event.plainBytes, event.sealedBytes, event.durationMs);
        break;
      case 'seal_failed':
        if (event.retryInMs === null) this.#done(event.path);
        observer.sealFailed(event.path, errorFrom(event.error), event.retryInMs);
        break;
      case 'seal_circuit':
        observer.sealCircuit(event.state, event.error === null ? undefined : errorFrom(event.error));
        break;
      default:
        observer.upkeepJob(event);
    }
  }

  #done(segment: string): void {
    this.#unsealed.delete(segment);
    this.#reportBacklog();
  }

  #reportBacklog(): void {
    this.#observer.sealBacklog(this.#unsealed.size);
  }
}

function lowerPriority({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch (error) {
    // It is dead already; its exit says so.
    if ((error as { readonly info?: { readonly code?: string } }).info?.code !== 'ESRCH') throw error;
  }
}
