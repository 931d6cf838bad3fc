/** What the commands of the backup share: the configured store, and how Ctrl-C ends them. */
import type { Config } from '../config/config.ts';
import { type BackupTarget, targetIdentity } from '../core/backup-target.ts';
import { ServiceError } from '../core/errors.ts';
import { instanceDirectories } from '../storage/instances.ts';
import type { ObjectStore } from '../upkeep/backup/object-store.ts';
import { openStore } from '../upkeep/backup/open-store.ts';
import { onStopSignal } from './signals.ts';

export interface BackupScene {
  readonly store: ObjectStore;
  readonly backup: BackupTarget;
  /** Names the place. */
  readonly target: string;
  readonly signal: AbortSignal;
}

/**
 * Runs what a command does with the configured store.
 * @param again what to say when it is stopped in the middle
 * @throws ServiceError CONFIG_INVALID when there is none
 */
export async function withStore<T>(
  config: Config,
  again: string,
  use: (scene: BackupScene) => Promise<T>,
): Promise<T> {
  const { backup } = config;
  if (backup === null) {
    throw new ServiceError(
      'CONFIG_INVALID',
      'There is no backup: set backup.bucket (LOG_CONSUMER_BACKUP_BUCKET), and the other settings of the section backup as the store needs them.',
    );
  }
  const stopping = new AbortController();
  const release = onStopSignal(() => stopping.abort());
  const store = await openStore(backup);
  try {
    return await use({ store, backup, target: targetIdentity(backup), signal: stopping.signal });
  } catch (error) {
    if (stopping.signal.aborted) throw new ServiceError('STORE_UNREACHABLE', `Stopped: ${again}`);
    throw error;
  } finally {
    store.close();
    release();
  }
}

/**
 * The sets of files below the output root.
 * @throws ServiceError DIRECTORY_UNUSABLE when there is none
 */
export function requireInstances(root: string): string[] {
  const directories = instanceDirectories(root).map(({ directory }) => directory);
  if (directories.length > 0) return directories;
  throw new ServiceError(
    'DIRECTORY_UNUSABLE',
    `${root} holds no files of this service: set LOG_OUTPUT_DIR to its output directory.`,
    { directory: root },
  );
}
