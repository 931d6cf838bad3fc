/**
 * Brings the files back to exactly what the newest checkpoint says, after any kind of stop:
 * undoes and finishes recorded renames, then cuts every active file to its recorded length. Everything
 * cut was never acknowledged, and Kafka still has it.
 *
 * Running it again, or crashing inside it, changes nothing more: every step is idempotent.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ServiceError, systemCodeOf } from '../core/errors.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import type { RecoveryAction } from '../core/messages.ts';
import { SEAL_FORMATS } from '../core/seal-format.ts';
import type { PendingRename, PendingReturn } from './checkpoint.ts';
import { type Checkpoint, encodeCheckpoint, type LoadedCheckpoint, loadCheckpoint } from './checkpoint.ts';
import {
  fileSize,
  makeDirectoryDurable,
  renameDurable,
  replaceFileDurable,
  syncDirectory,
  truncateDurable,
} from './durable-file.ts';
import {
  ARCHIVE_DIRECTORY,
  activePath,
  CHECKPOINT_FILE,
  CHECKPOINT_PREVIOUS_FILE,
  CHECKPOINT_TEMPORARY_FILE,
  parseSegmentName,
  SEGMENT_SUFFIX,
  STATE_DIRECTORY,
  statePath,
} from './layout.ts';

export interface Recovery {
  readonly checkpoint: Checkpoint;
  /** Where to go back to if Kafka never took the checkpoint; the checkpoint itself when there is nothing before. */
  readonly acknowledged: Checkpoint;
  /** What was done, for the log: one entry per cut file and finished rename. */
  readonly actions: readonly RecoveryAction[];
}

/**
 * @param now ms since the epoch, for the first checkpoint of a new directory
 * @throws ServiceError CHECKPOINT_CORRUPT or FILE_CORRUPT when the files contradict the checkpoint
 */
export function recover(directory: string, instance: string, now: number): Recovery {
  const loaded = loadCheckpoint(directory);
  if (loaded === undefined) return initialise(directory, instance, now);
  const actions: RecoveryAction[] = [];
  if (loaded.source !== CHECKPOINT_FILE) {
    refuseWhenRotatedSince(directory, loaded);
    installCheckpoint(directory, loaded);
    actions.push({ kind: 'fell_back', file: loaded.source, bytes: 0 });
  } else {
    // A replacement that was given up must not come back once the files were cut to this one.
    rmSync(statePath(directory, CHECKPOINT_TEMPORARY_FILE), { force: true });
    // Found after a crash that may have come before its name was durable, and Kafka is told of it next.
    syncDirectory(statePath(directory, ''));
  }
  for (const entry of loaded.checkpoint.pending_returns) {
    if (undoRename(directory, entry)) actions.push({ kind: 'returned', file: entry.file, bytes: 0 });
  }
  for (const rename of loaded.checkpoint.pending_renames) {
    if (finishRename(directory, rename)) actions.push({ kind: 'renamed', file: rename.file, bytes: 0 });
  }
  for (const file of LOG_FILES) {
    const cut = cutToCheckpoint(directory, file, loaded.checkpoint);
    if (cut > 0) actions.push({ kind: 'cut', file, bytes: cut });
  }
  return { checkpoint: loaded.checkpoint, acknowledged: loaded.acknowledged ?? loaded.checkpoint, actions };
}

/**
 * Makes a closed segment the active file again. Whatever was active in its place came later and is not
 * ours. Does only what is still missing.
 */
function undoRename(directory: string, { file, base }: PendingReturn): boolean {
  const closed = join(directory, base) + SEGMENT_SUFFIX.plain;
  if (fileSize(closed) === undefined) return false;
  rmSync(join(directory, base) + SEGMENT_SUFFIX.facts, { force: true });
  renameDurable(closed, activePath(directory, file));
  return true;
}

/**
 * Renames a closed active file into the archive and writes its facts; does only what is still missing.
 * @returns whether the file itself had to be renamed
 */
export function finishRename(directory: string, rename: PendingRename): boolean {
  const base = join(directory, rename.base);
  const target = base + SEGMENT_SUFFIX.plain;
  makeDirectoryDurable(dirname(target));
  const sealed = SEAL_FORMATS.some((format) => fileSize(base + SEGMENT_SUFFIX[format]) !== undefined);
  const moved = sealed || fileSize(target) !== undefined;
  if (!moved) {
    const source = activePath(directory, rename.file);
    cutTo(source, rename.facts.bytes);
    renameDurable(source, target);
  }
  if (fileSize(base + SEGMENT_SUFFIX.facts) === undefined) {
    replaceFileDurable(base + SEGMENT_SUFFIX.facts, `${JSON.stringify(rename.facts)}\n`);
  } else {
    // Found after a crash that may have come before its name was durable.
    syncDirectory(dirname(target));
  }
  return !moved;
}

/** The first checkpoint of a directory is written before any line, so lines without one mean damage. */
function initialise(directory: string, instance: string, now: number): Recovery {
  for (const file of LOG_FILES) {
    const active = activePath(directory, file);
    const holding = (fileSize(active) ?? 0) > 0 ? active : closedSegments(directory, file)[0]?.path;
    if (holding !== undefined) {
      throw new ServiceError(
        'CHECKPOINT_CORRUPT',
        `${holding} holds lines, but ${statePath(directory, CHECKPOINT_FILE)} is missing: restore the checkpoint from a backup, or move the output directory away to start a new one.`,
        { directory, file },
      );
    }
  }
  const checkpoint: Checkpoint = {
    version: 2,
    instance,
    directory_id: randomBytes(9).toString('base64url'),
    sequence: 0,
    acknowledged: 0,
    written_at: new Date(now).toISOString(),
    partitions: {},
    files: {},
    pending_renames: [],
    pending_returns: [],
  };
  replaceFileDurable(statePath(directory, CHECKPOINT_FILE), encodeCheckpoint(checkpoint));
  return {
    checkpoint,
    acknowledged: checkpoint,
    actions: [{ kind: 'initialised', file: CHECKPOINT_FILE, bytes: 0 }],
  };
}

/**
 * An older checkpoint describes the active files only as long as none of them was rotated after it:
 * a closed segment with the number that it calls active proves the opposite.
 */
function refuseWhenRotatedSince(directory: string, loaded: LoadedCheckpoint): void {
  const { pending_renames: renames, pending_returns: returns } = loaded.checkpoint;
  const pending = new Set([...renames, ...returns].map(({ base }) => join(directory, base)));
  for (const file of LOG_FILES) {
    const active = loaded.checkpoint.files[file]?.number ?? 1;
    const later = closedSegments(directory, file).find(
      (segment) => segment.number >= active && !pending.has(segment.path),
    );
    if (later === undefined) continue;
    throw new ServiceError(
      'CHECKPOINT_CORRUPT',
      `${statePath(directory, CHECKPOINT_FILE)} is damaged and the checkpoint before it is older than the rotation of ${later.path}: restore ${CHECKPOINT_FILE} from a backup, or move the output directory away to start a new one.`,
      { directory, file },
    );
  }
}

function installCheckpoint(directory: string, { checkpoint, acknowledged, damaged }: LoadedCheckpoint): void {
  const path = statePath(directory, CHECKPOINT_FILE);
  if (damaged.includes(CHECKPOINT_FILE)) renameSync(path, `${path}.damaged`);
  // It may stand where the newer one comes, and without it nobody knows where to cut the files to.
  if (acknowledged !== undefined && acknowledged !== checkpoint) {
    replaceFileDurable(statePath(directory, CHECKPOINT_PREVIOUS_FILE), encodeCheckpoint(acknowledged));
  }
  replaceFileDurable(path, encodeCheckpoint(checkpoint));
}

function cutToCheckpoint(directory: string, file: LogFile, checkpoint: Checkpoint): number {
  return cutTo(activePath(directory, file), checkpoint.files[file]?.length ?? 0);
}

/** @returns the number of bytes that were cut off */
function cutTo(path: string, length: number): number {
  const size = fileSize(path);
  if ((size ?? 0) < length) {
    throw new ServiceError(
      'FILE_CORRUPT',
      `${path} has ${size ?? 0} bytes, but the checkpoint promises ${length}: somebody cut or removed it, so restore it from a backup, or move the output directory away to start a new one.`,
      { path, length },
    );
  }
  if (size === undefined) return 0;
  // At the right length, too: the cut before a crash need not be durable yet.
  truncateDurable(path, length);
  return size - length;
}

export interface ClosedSegment {
  readonly number: number;
  /** Absolute path without suffix. */
  readonly path: string;
  /** Suffixes present, such as `.jsonl.gz` and `.meta.json`. */
  readonly suffixes: readonly string[];
}

/** All closed segments of one kind of file, by number. */
export function closedSegments(directory: string, file: LogFile): ClosedSegment[] {
  const root = join(directory, ARCHIVE_DIRECTORY, file);
  const found = new Map<string, { number: number; suffixes: string[] }>();
  for (const day of namesIn(root)) {
    for (const name of namesIn(join(root, day))) {
      const parsed = parseSegmentName(name);
      if (parsed === undefined || parsed.file !== file) continue;
      const path = join(root, day, parsed.base);
      const entry = found.get(path) ?? { number: parsed.number, suffixes: [] };
      entry.suffixes.push(parsed.suffix);
      found.set(path, entry);
    }
  }
  return [...found]
    .map(([path, entry]) => ({ path, ...entry }))
    .sort((left, right) => left.number - right.number);
}

function namesIn(directory: string): string[] {
  if (fileSize(directory) === undefined) return [];
  return readdirSync(directory).sort();
}

/** Makes sure the directories every start needs exist, and that all directories of the files are durable. */
export function prepareDirectories(directory: string): void {
  makeDirectoryDurable(join(directory, STATE_DIRECTORY));
  const archive = join(directory, ARCHIVE_DIRECTORY);
  makeDirectoryDurable(archive);
  // A crash may have come between the making of a directory and the fsync that keeps its name.
  for (const parent of [directory, archive, ...LOG_FILES.map((file) => join(archive, file))]) {
    if (fileSize(parent) !== undefined) syncDirectory(parent);
  }
  syncParents(directory);
}

/** The directories above, as far as they are of the same file system and may be read. */
function syncParents(directory: string): void {
  const { dev } = statSync(directory);
  for (let [child, parent] = [directory, dirname(directory)]; parent !== child; ) {
    if (statSync(parent).dev !== dev) return;
    try {
      syncDirectory(parent);
    } catch (error) {
      // Made by somebody else then, long before.
      if (systemCodeOf(error) !== 'EACCES') throw error;
      return;
    }
    [child, parent] = [parent, dirname(parent)];
  }
}
