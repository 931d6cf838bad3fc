/**
 * Replaces `state/checkpoint.json`. Two renames keep the one before as `checkpoint.prev.json`; between
 * them the new one exists only under its temporary name, complete and synced, where recovery finds it.
 */
import { open, rename } from 'node:fs/promises';
import { systemCodeOf } from '../core/errors.ts';
import { type Checkpoint, encodeCheckpoint } from '../storage/checkpoint.ts';
import {
  CHECKPOINT_FILE,
  CHECKPOINT_PREVIOUS_FILE,
  CHECKPOINT_TEMPORARY_FILE,
  statePath,
} from '../storage/layout.ts';
import { syncFailure } from '../storage/sync-failure.ts';

export class CheckpointStore {
  readonly #path: string;
  readonly #previousPath: string;
  readonly #temporaryPath: string;
  readonly #stateDirectory: string;
  /** The checkpoint that has its final name, although the name may not be durable yet. */
  #named: Checkpoint | undefined;

  constructor(directory: string) {
    this.#path = statePath(directory, CHECKPOINT_FILE);
    this.#previousPath = statePath(directory, CHECKPOINT_PREVIOUS_FILE);
    this.#temporaryPath = statePath(directory, CHECKPOINT_TEMPORARY_FILE);
    this.#stateDirectory = statePath(directory, '');
  }

  /**
   * Durable when it returns. The same checkpoint may be tried again: once it has its name it is not
   * renamed a second time, or it would take the place of the one before, which Kafka may have to go back to.
   * @throws the system error of a failed write (which may be tried again),
   *   ServiceError SYNC_FAILED when an fsync failed (which may not)
   */
  async replace(checkpoint: Checkpoint): Promise<void> {
    if (this.#named !== checkpoint) await this.#name(checkpoint);
    await this.#syncDirectory();
  }

  async #name(checkpoint: Checkpoint): Promise<void> {
    const file = await open(this.#temporaryPath, 'w');
    try {
      await file.writeFile(encodeCheckpoint(checkpoint));
      await failAsSync(this.#temporaryPath, file.sync());
    } finally {
      await file.close();
    }
    await rename(this.#path, this.#previousPath).catch(ignoreMissing);
    await rename(this.#temporaryPath, this.#path);
    this.#named = checkpoint;
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#stateDirectory, 'r');
    try {
      await failAsSync(this.#stateDirectory, directory.sync());
    } finally {
      await directory.close();
    }
  }
}

/** After the first rename of a replacement that was tried before, the name is free already. */
function ignoreMissing(error: unknown): void {
  if (systemCodeOf(error) !== 'ENOENT') throw error;
}

/** Gives the error of a failed fsync its name. */
export async function failAsSync(path: string, sync: Promise<void>): Promise<void> {
  try {
    await sync;
  } catch (error) {
    throw syncFailure(path, error);
  }
}
