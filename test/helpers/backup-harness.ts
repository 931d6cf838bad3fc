/** A `Backup` without pauses that keeps what it tells, and directories whose closed files are compressed. */
import type { TestContext } from 'node:test';
import { Backup } from '../../src/upkeep/backup/backup.ts';
import type { BackupOptions, BackupResult } from '../../src/upkeep/backup/backup-run.ts';
import { type BackupReport, verifyBackup } from '../../src/upkeep/backup/backup-verify.ts';
import type { ObjectStore } from '../../src/upkeep/backup/object-store.ts';
import { type RestoreOptions, type RestoreReport, restore } from '../../src/upkeep/backup/restore.ts';
import { writeLogDirectory } from './log-directory.ts';
import { SealerHarness } from './sealer-harness.ts';

export const NEVER: AbortSignal = new AbortController().signal;

const TARGET = 'the store of the test';

/** Compresses every closed file. */
export async function sealAll(directory: string): Promise<void> {
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  await harness.sealer.stop();
}

/** See `writeLogDirectory`. */
export async function writeSealedDirectory(context: TestContext): Promise<string> {
  const directory = await writeLogDirectory(context);
  await sealAll(directory);
  return directory;
}

export class BackupHarness {
  readonly uploaded: { readonly path: string; readonly bytes: number }[] = [];
  readonly failures: string[] = [];
  readonly retries: (number | null)[] = [];
  readonly backlog: { readonly files: number; readonly bytes: number }[] = [];
  readonly #options: BackupOptions;

  constructor(store: ObjectStore, directory: string, options: Partial<BackupOptions> = {}) {
    this.#options = {
      root: directory,
      directory,
      store,
      target: TARGET,
      partBytes: 5 * 1024 * 1024,
      concurrency: 2,
      attempts: 1,
      pauses: { firstMs: 1, maxMs: 2 },
      circuit: { run: (attempt) => attempt() },
      onUploaded: (path, bytes) => this.uploaded.push({ path, bytes }),
      onFailed: (_path, error, retryInMs) => {
        this.failures.push((error as Error).message);
        this.retries.push(retryInMs);
      },
      onBacklog: (files, bytes) => this.backlog.push({ files, bytes }),
      ...options,
    };
  }

  run(signal: AbortSignal = NEVER): Promise<BackupResult> {
    return new Backup(this.#options).runOnce(signal);
  }
}

/** What `backup verify` finds for a root with one or more instances. */
export function checkBackup(
  store: ObjectStore,
  root: string,
  options: {
    readonly deep?: boolean;
    readonly directories?: readonly string[];
    readonly target?: string;
  } = {},
): Promise<BackupReport> {
  const { deep = false, directories = [root], target = TARGET } = options;
  return verifyBackup(
    { root, directories, store, target, deep, concurrency: 2, onProgress: () => undefined },
    NEVER,
  );
}

/** Restores everything unless the options say otherwise. */
export function restoreAll(
  store: ObjectStore,
  directory: string,
  options: Partial<RestoreOptions> = {},
  signal: AbortSignal = NEVER,
): Promise<RestoreReport> {
  return restore(
    {
      store,
      target: TARGET,
      directory,
      wanted: { from: -8.64e15, to: 8.64e15 },
      instance: null,
      concurrency: 2,
      now: Date.now(),
      onProgress: () => undefined,
      ...options,
    },
    signal,
  );
}
