/**
 * The few operations that make a change of the file system survive a power loss. A file's bytes are
 * safe after its fsync, its name only after the fsync of the directory that holds it (POSIX leaves
 * this open; ext4 and XFS really lose unsynced renames).
 *
 * A failed fsync is a ServiceError SYNC_FAILED, any other failure the system error.
 */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { systemCodeOf } from '../core/errors.ts';
import { syncFailure } from './sync-failure.ts';

/** Makes the names inside `directory` durable. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    sync(descriptor, directory);
  } finally {
    closeSync(descriptor);
  }
}

/** Creates `directory` and its missing parents, and makes every new name durable. */
export function makeDirectoryDurable(directory: string): void {
  if (fileSize(directory) !== undefined) return;
  const parent = dirname(directory);
  makeDirectoryDurable(parent);
  // One at a time: a recursive mkdir of Node never returns below some special directories such as /proc.
  makeUnlessPresent(directory);
  syncDirectory(parent);
}

function makeUnlessPresent(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    if (systemCodeOf(error) !== 'EEXIST') throw error;
  }
}

/** Writes a whole small file under its final name: temporary file, fsync, rename, directory fsync. */
export function replaceFileDurable(path: string, content: string): void {
  const temporary = `${path}.tmp`;
  const descriptor = openSync(temporary, 'w');
  try {
    writeFileSync(descriptor, content);
    sync(descriptor, temporary);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  syncDirectory(dirname(path));
}

/** Renames durably; both names may lie in different directories of one file system. */
export function renameDurable(from: string, to: string): void {
  renameSync(from, to);
  syncDirectory(dirname(to));
  if (dirname(from) !== dirname(to)) syncDirectory(dirname(from));
}

/** Cuts a file to `length` bytes and makes the new length durable. */
export function truncateDurable(path: string, length: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    ftruncateSync(descriptor, length);
    sync(descriptor, path);
  } finally {
    closeSync(descriptor);
  }
}

function sync(descriptor: number, path: string): void {
  try {
    fsyncSync(descriptor);
  } catch (error) {
    throw syncFailure(path, error);
  }
}

/** Size in bytes, or undefined when there is no such file. */
export function fileSize(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** Bytes of the files that begin with `base` and end with one of `suffixes`; missing ones count nothing. */
export function totalSize(base: string, suffixes: readonly string[]): number {
  return suffixes.reduce((bytes, suffix) => bytes + (fileSize(base + suffix) ?? 0), 0);
}
