/**
 * The upkeep process: started by the ingest process, it seals closed files at the lowest priority, in
 * memory of its own, and does the jobs of upkeep-jobs.ts. It shares nothing with ingestion but the files, so
 * it can die at any moment: what it left undone is done again by the one that is started in its place.
 *
 * Two of them never work on one directory: each waits for the lock, which the one before loses with its
 * life, and one whose ingest process is gone ends itself.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../core/clock.ts';
import { EXIT } from '../core/errors.ts';
import { invariant, unreachable } from '../core/invariant.ts';
import { MAX_RECORD_DEPTH, SEAL_CIRCUIT, SEAL_RETRY } from '../core/limits.ts';
import { upkeepErrorOf } from '../core/upkeep-error.ts';
import type { UpkeepEvent, UpkeepOptions, UpkeepRequest } from '../core/upkeep-messages.ts';
import { Circuit } from '../resilience/circuit.ts';
import { statePath, UPKEEP_DIRECTORY, UPKEEP_LOCK } from '../storage/layout.ts';
import { tryLock } from '../storage/lock.ts';
import { StoredLineClassifier } from '../transform/stored-line-classifier.ts';
import { Pace } from '../upkeep/pace.ts';
import { type SealOptions, sealSegment } from '../upkeep/seal/seal-segment.ts';
import { removeLeftovers } from '../upkeep/seal/unsealed.ts';
import { isSealOutage, Sealer } from '../upkeep/sealer.ts';
import { UpkeepJobs } from './upkeep-jobs.ts';

const LOCK_POLL_MS = 50;

/** Serves the process that forked this one, until it says stop or is gone. */
export function runUpkeepProcess(): void {
  // A Ctrl-C goes to the whole group; the ingest process decides when this one ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit());
  let upkeep: Promise<Upkeep> | undefined;
  process.on('message', (request: UpkeepRequest) => {
    if (request.kind === 'start') upkeep = Upkeep.begin(request.options);
    invariant(upkeep !== undefined, 'the first request starts the upkeep');
    upkeep = upkeep.then((started) => started.handle(request));
    upkeep.catch(fail);
  });
}

class Upkeep {
  readonly #sealer: Sealer;
  readonly #jobs: UpkeepJobs;
  readonly #pace = new Pace();

  private constructor(options: UpkeepOptions) {
    const { directory, categories, seal } = options;
    const temporaryDirectory = statePath(directory, UPKEEP_DIRECTORY);
    rmSync(temporaryDirectory, { recursive: true, force: true });
    mkdirSync(temporaryDirectory, { recursive: true });
    const sealing: SealOptions = {
      format: seal.format,
      level: seal.level,
      turn: (signal) => this.#pace.turn(signal),
      columns: {
        temporaryDirectory,
        memoryBytes: seal.columnsMemoryBytes,
        judge: () => new StoredLineClassifier(categories, MAX_RECORD_DEPTH),
      },
    };
    removeLeftovers(directory);
    this.#jobs = new UpkeepJobs(options, systemClock, tell);
    this.#sealer = new Sealer({
      concurrency: seal.concurrency,
      seal: (path, signal) => sealSegment(path, sealing, signal),
      pauses: SEAL_RETRY,
      circuit: new Circuit({
        ...SEAL_CIRCUIT,
        isOutage: isSealOutage,
        clock: systemClock,
        onChange: (state, error) =>
          tell({ kind: 'seal_circuit', state, error: error === undefined ? null : upkeepErrorOf(error) }),
      }),
      onSealed: (segment, sealed, durationMs) => {
        tell({ kind: 'sealed', segment, ...sealed, durationMs });
        this.#jobs.sealed();
      },
      onFailed: (path, error, retryInMs) =>
        tell({ kind: 'seal_failed', path, error: upkeepErrorOf(error), retryInMs }),
    });
  }

  static async begin(options: UpkeepOptions): Promise<Upkeep> {
    const lock = statePath(options.directory, UPKEEP_LOCK);
    while (tryLock(lock) === undefined) await sleep(LOCK_POLL_MS);
    const upkeep = new Upkeep(options);
    tell({ kind: 'ready' });
    upkeep.#jobs.start();
    return upkeep;
  }

  async handle(request: UpkeepRequest): Promise<Upkeep> {
    switch (request.kind) {
      case 'start':
        return this;
      case 'seal':
        this.#sealer.add(request.path);
        return this;
      case 'pace':
        this.#pace.isQuiet = request.isQuiet;
        return this;
      case 'stop':
        await Promise.all([this.#sealer.stop(), this.#jobs.stop()]);
        process.disconnect?.();
        return this;
      default:
        return unreachable(request, 'upkeep request');
    }
  }
}

/** A directory that cannot be used, or a bug: this process ends, and another one is started after a pause. */
function fail(error: unknown): void {
  const event: UpkeepEvent = { kind: 'failed', error: upkeepErrorOf(error) };
  if (process.connected) process.send?.(event, () => process.exit(EXIT.failed));
}

function tell(event: UpkeepEvent): void {
  // The other end may be gone already; then nobody wants to know.
  if (process.connected) process.send?.(event);
}
