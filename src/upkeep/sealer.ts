/**
 * Seals closed segments behind ingestion (seal/seal-segment.ts), a bounded number at a time.
 *
 * What fails is tried again after growing pauses, and a circuit breaker stops all of it but single probes
 * while the disk refuses one file after the other. A file that is no longer what the writer wrote is left
 * to a person.
 */
import PQueue from 'p-queue';
import { systemCodeOf } from '../core/errors.ts';
import { Backoff, type BackoffLimits } from '../resilience/backoff.ts';
import type { Circuit } from '../resilience/circuit.ts';
import { AlteredSegment, type SealedSegment } from './seal/seal-segment.ts';

export interface SealerOptions {
  /** Segments in work at the same time. */
  readonly concurrency: number;
  /** Seals one segment; undefined when it was given up because of the signal. */
  readonly seal: (path: string, signal: AbortSignal) => Promise<SealedSegment | undefined>;
  readonly onSealed: (segment: string, sealed: SealedSegment, durationMs: number) => void;
  /** Pauses before a file that failed is tried again. */
  readonly pauses: BackoffLimits;
  /** Opens when the disk refuses; `isSealOutage` says which errors count. */
  readonly circuit: Pick<Circuit, 'run'>;
  /** @param retryInMs null when the file is not tried again by this process */
  readonly onFailed: (path: string, error: unknown, retryInMs: number | null) => void;
}

export class Sealer {
  readonly #options: SealerOptions;
  readonly #queue: PQueue;
  readonly #stopping = new AbortController();
  /** Files that failed, until they are tried again. */
  readonly #retries = new Set<NodeJS.Timeout>();

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** @param path of a closed segment, without suffix */
  add(path: string): void {
    this.#try(path, new Backoff(this.#options.pauses));
  }

  /** Leaves what is not begun; resolves when what is in work was given up or done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.clear();
    for (const retry of this.#retries) clearTimeout(retry);
    await this.#queue.onIdle();
  }

  #try(path: string, pauses: Backoff): void {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    this.#queue
      .add(() => this.#options.circuit.run(() => this.#seal(path), signal))
      .catch((error: unknown) => this.#failed(path, pauses, error));
  }

  #failed(path: string, pauses: Backoff, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const retryInMs = isSealOutage(error) ? pauses.next() : null;
    this.#options.onFailed(path, error, retryInMs);
    if (retryInMs === null) return;
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      this.#try(path, pauses);
    }, retryInMs);
    retry.unref();
    this.#retries.add(retry);
  }

  async #seal(path: string): Promise<void> {
    const startedAt = performance.now();
    const sealed = await this.#options.seal(path, this.#stopping.signal);
    if (sealed === undefined) return;
    this.#options.onSealed(path, sealed, performance.now() - startedAt);
  }
}

/** Whether a failure can pass, so that it is the disk's rather than the file's. */
export function isSealOutage(error: unknown): boolean {
  return !(error instanceof AlteredSegment) && systemCodeOf(error) !== 'ENOENT';
}
