/**
 * Copies the sealed segments of one instance into a store, oldest first, and remembers how far it is
 * (storage/backup-state.ts).
 *
 * Of a segment the facts travel last: where they are in the store, everything else of the segment is. The
 * checkpoint follows the segments, so a restore knows to which set of files they belong. Keys are made from
 * paths, so whatever was cut off is done again with the same result.
 *
 * Nothing here ends the process or stops something else: what fails is told, tried again after growing
 * pauses, and then left to the next call.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../../core/errors.ts';
import { type DirectoryLock, lockBackup } from '../../storage/lock.ts';
import { type BackupOptions, type BackupResult, BackupRun } from './backup-run.ts';

const LOCK_POLL_MS = 200;

export class Backup {
  readonly #options: BackupOptions;

  constructor(options: BackupOptions) {
    this.#options = options;
  }

  /**
   * Copies what is not confirmed yet. Waits while another process does the same.
   * @returns what was done, and what failed; rejects only with the reason of `signal`, or with the error of the
   *   directory's own state, when that is damaged or cannot be written
   */
  async runOnce(signal: AbortSignal): Promise<BackupResult> {
    const lock = await this.#lock(signal);
    try {
      return await new BackupRun(this.#options, signal).run();
    } finally {
      lock.release();
    }
  }

  async #lock(signal: AbortSignal): Promise<DirectoryLock> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return lockBackup(this.#options.directory);
      } catch (error) {
        if (!(error instanceof ServiceError) || error.code !== 'DIRECTORY_LOCKED') throw error;
        await sleep(LOCK_POLL_MS, undefined, { signal });
      }
    }
  }
}
