/**
 * A checkpoint and the active files it speaks of, held still while a service goes on writing: an open
 * descriptor keeps its file when that is renamed, compressed or removed meanwhile.
 *
 * A rotation is announced by a checkpoint before the rename, so files that were opened between two
 * readings of the same segment numbers are the segments with these numbers.
 */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError, systemCodeOf } from '../core/errors.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import { type Checkpoint, loadCheckpoint } from '../storage/checkpoint.ts';
import { activePath } from '../storage/layout.ts';

export interface FrozenView {
  readonly checkpoint: Checkpoint;
  /** Of what lay in the place of each active file; absent where there was none. */
  readonly descriptors: ReadonlyMap<LogFile, number>;
  close(): void;
}

const MAX_TRIES = 100;
const TRY_AGAIN_MS = 20;

/**
 * @throws ServiceError CHECKPOINT_CORRUPT when there is no checkpoint, or none that is valid;
 *   FILE_CORRUPT when the files never stood still
 */
export async function freeze(directory: string): Promise<FrozenView> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
    const checkpoint = load(directory);
    const descriptors = openActiveFiles(directory);
    const close = (): void => {
      for (const descriptor of descriptors.values()) closeSync(descriptor);
    };
    if (generationOf(load(directory)) === generationOf(checkpoint)) return { checkpoint, descriptors, close };
    close();
    await sleep(TRY_AGAIN_MS);
  }
  throw new ServiceError(
    'FILE_CORRUPT',
    `The files in ${directory} were rotated faster than they could be opened: raise MAX_LOG_FILE_SIZE_MB, or stop the service first.`,
    { directory },
  );
}

function load(directory: string): Checkpoint {
  const loaded = loadCheckpoint(directory);
  if (loaded !== undefined) return loaded.checkpoint;
  throw new ServiceError(
    'CHECKPOINT_CORRUPT',
    `${directory} holds no checkpoint: it is not an output directory of this service, or nothing was consumed yet.`,
    { directory },
  );
}

function openActiveFiles(directory: string): Map<LogFile, number> {
  const descriptors = new Map<LogFile, number>();
  for (const file of LOG_FILES) {
    const descriptor = openIfPresent(activePath(directory, file));
    if (descriptor !== undefined) descriptors.set(file, descriptor);
  }
  return descriptors;
}

function openIfPresent(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Which segments are active. */
function generationOf({ files }: Checkpoint): string {
  return LOG_FILES.map((file) => files[file]?.number ?? 1).join(' ');
}
