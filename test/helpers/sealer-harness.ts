/** A `Sealer` in this thread that keeps what it tells. Any line will do for its columnar sidecars. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainReplaySegments } from '../../src/storage/replay-journal.ts';
import { type SealOptions, sealSegment } from '../../src/upkeep/seal/seal-segment.ts';
import { unsealedSegments } from '../../src/upkeep/seal/unsealed.ts';
import { Sealer, type SealerOptions } from '../../src/upkeep/sealer.ts';

/** Takes every line for one without fields. */
export const ANY_LINE = {
  categories: 0,
  line: { start: new Int32Array(8).fill(-1), end: new Int32Array(8) },
  judge: () => true,
};

export function sealOptions(directory: string, options: Partial<SealOptions> = {}): SealOptions {
  return {
    format: 'gzip',
    level: 1,
    turn: async (signal) => !signal.aborted,
    columns: {
      temporaryDirectory: join(directory, 'state'),
      memoryBytes: 128 * 1024 * 1024,
      judge: () => ANY_LINE,
    },
    ...options,
  };
}

export class SealerHarness {
  readonly sealed: string[] = [];
  readonly failures: string[] = [];
  /** Pauses before the next try, one for each failure. */
  readonly retries: (number | null)[] = [];
  /** Segments that were given to it, and that are neither sealed nor given up. */
  readonly waiting = new Set<string>();
  readonly sealer: Sealer;
  readonly #directory: string;

  constructor(directory: string, options: Partial<SealerOptions> = {}) {
    const sealing = sealOptions(directory);
    this.#directory = directory;
    this.sealer = new Sealer({
      concurrency: 2,
      seal: (path, signal) => sealSegment(path, sealing, signal),
      pauses: { firstMs: 1, maxMs: 4 },
      circuit: { run: (attempt) => attempt() },
      onSealed: (path) => {
        this.sealed.push(path);
        this.waiting.delete(path);
      },
      onFailed: (path, error, retryInMs) => {
        if (retryInMs === null) this.waiting.delete(path);
        this.failures.push((error as Error).message);
        this.retries.push(retryInMs);
      },
      ...options,
    });
  }

  add(path: string): void {
    this.waiting.add(path);
    this.sealer.add(path);
  }

  /** Seals what lies closed and unsealed. */
  sealAll(): void {
    for (const path of unsealedSegments(this.#directory)) this.add(path);
    for (const path of plainReplaySegments(this.#directory)) this.add(path);
  }

  /** Waits until nothing is left to seal. */
  async idle(): Promise<void> {
    while (this.waiting.size > 0) await sleep(2);
  }
}
