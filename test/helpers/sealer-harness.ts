/** A `Sealer` that compresses in this thread and keeps what it tells. */
import { setTimeout as sleep } from 'node:timers/promises';
import { compressMember, type MemberTask } from '../../src/upkeep/gzip-member.ts';
import { Sealer, type SealerOptions } from '../../src/upkeep/sealer.ts';

export class SealerHarness {
  readonly sealed: string[] = [];
  readonly failures: string[] = [];
  /** Pauses before the next try, one for each failure. */
  readonly retries: (number | null)[] = [];
  readonly backlog: number[] = [];
  readonly tasks: MemberTask[] = [];
  readonly sealer: Sealer;

  constructor(directory: string, options: Partial<SealerOptions> = {}) {
    this.sealer = new Sealer({
      directory,
      level: 1,
      concurrency: 2,
      compress: async (task) => {
        this.tasks.push(task);
        return compressMember(task);
      },
      mayRun: () => true,
      pauses: { firstMs: 1, maxMs: 4 },
      circuit: { run: (attempt) => attempt() },
      onSealed: (path) => this.sealed.push(path),
      onFailed: (_path, error, retryInMs) => {
        this.failures.push((error as Error).message);
        this.retries.push(retryInMs);
      },
      onBacklog: (segments) => this.backlog.push(segments),
      ...options,
    });
  }

  /** Waits until nothing is left to seal. */
  async idle(): Promise<void> {
    while (this.backlog.at(-1) !== 0) await sleep(2);
  }
}
