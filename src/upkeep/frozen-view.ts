/**
 * A checkpoint and the active files it speaks of, held still while a service goes on writing: an open
 * descriptor keeps its file when that is renamed, compressed or removed meanwhile.
 *
 * A rotation is announced by a checkpoint before the rename, so files that were opened between two
 * readings of the same segment numbers are the segments with these numbers.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError, systemCodeOf } from '../core/errors.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import {
  type Checkpoint,
  type LoadedCheckpoint,
  loadCheckpoint,
  type PendingReturn,
} from '../storage/checkpoint.ts';
import { activePath, SEGMENT_SUFFIX } from '../storage/layout.ts';

/** A checkpoint and what lay in the place of each active file that it speaks of. */
export interface FrozenFiles {
  readonly checkpoint: Checkpoint;
  /** Absent where there was no file. */
  readonly descriptors: ReadonlyMap<LogFile, number>;
}

export interface FrozenView {
  readonly newest: FrozenFiles;
  /** By the checkpoint before, while it is not known whether Kafka has taken the newest. */
  readonly acknowledged: FrozenFiles | undefined;
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
    const loaded = load(directory);
    const view = openView(directory, loaded);
    if (generationOf(load(directory).checkpoint) === generationOf(loaded.checkpoint)) return view;
    view.close();
    await sleep(TRY_AGAIN_MS);
  }
  throw new ServiceError(
    'FILE_CORRUPT',
    `The files in ${directory} were rotated faster than they could be opened: raise MAX_LOG_FILE_SIZE_MB, or stop the service first.`,
    { directory },
  );
}

function load(directory: string): LoadedCheckpoint {
  const loaded = loadCheckpoint(directory);
  if (loaded !== undefined) return loaded;
  throw new ServiceError(
    'CHECKPOINT_CORRUPT',
    `${directory} holds no checkpoint: it is not an output directory of this service, or nothing was consumed yet.`,
    { directory },
  );
}

function openView(directory: string, { checkpoint, acknowledged }: LoadedCheckpoint): FrozenView {
  // A roll-back that a crash interrupted has yet to make closed files active again.
  const newest = openActiveFiles(directory, checkpoint, checkpoint.pending_returns);
  const isAhead = acknowledged !== undefined && acknowledged.sequence !== checkpoint.sequence;
  // What the newest checkpoint closes was active at the one before.
  const earlier = isAhead ? openActiveFiles(directory, acknowledged, checkpoint.pending_renames) : undefined;
  return {
    newest,
    acknowledged: earlier,
    close: () => {
      for (const descriptor of newest.descriptors.values()) closeSync(descriptor);
      for (const descriptor of earlier?.descriptors.values() ?? []) closeSync(descriptor);
    },
  };
}

/** @param moved files that may lie in the archive already, or still */
function openActiveFiles(
  directory: string,
  checkpoint: Checkpoint,
  moved: readonly PendingReturn[],
): FrozenFiles {
  const descriptors = new Map<LogFile, number>();
  for (const file of LOG_FILES) {
    const base = moved.find((entry) => entry.file === file)?.base;
    const closed =
      base === undefined ? undefined : openIfPresent(join(directory, base) + SEGMENT_SUFFIX.plain);
    const descriptor = closed ?? openIfPresent(activePath(directory, file));
    if (descriptor !== undefined) descriptors.set(file, descriptor);
  }
  return { checkpoint, descriptors };
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
