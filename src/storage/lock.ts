/**
 * One process per output directory. The lock is a real file lock of the kernel, taken through SQLite
 * (exclusive transaction on `state/lock`, which stays empty), since Node has none of its own: it ends
 * with the process however that dies, holds across containers and on network storage with POSIX locks,
 * and so never goes stale. `state/owner.json` only tells people who holds it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, ServiceError } from '../core/errors.ts';
import { makeDirectoryDurable } from './durable-file.ts';
import { STATE_DIRECTORY, statePath } from './layout.ts';

/** A connection that nobody refers to is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>();

export interface DirectoryLock {
  release(): void;
}

/** What is locked: each kind has a file of its own in `state/`. */
interface LockKind {
  readonly file: string;
  /** Tells people who holds it. */
  readonly ownerFile: string;
  /** What to do about it, for the message. */
  readonly locked: (directory: string, owner: string) => string;
}

const DIRECTORY: LockKind = {
  file: 'lock',
  ownerFile: 'owner.json',
  locked: (directory, owner) =>
    `The output directory ${directory} is in use by ${owner}: stop that process, or give this one its own LOG_OUTPUT_DIR or INSTANCE_ID.`,
};

const BACKUP: LockKind = {
  file: 'backup.lock',
  ownerFile: 'backup-owner.json',
  locked: (directory, owner) =>
    `The backup of ${directory} is being made by ${owner}: wait until that is done.`,
};

/**
 * @throws ServiceError DIRECTORY_LOCKED when another process holds it,
 *   DIRECTORY_UNUSABLE when the directory cannot be made or written
 */
export function lockDirectory(directory: string): DirectoryLock {
  return lock(directory, DIRECTORY);
}

/**
 * Only one process copies a directory into a store at a time; it does not keep the service out.
 * @throws ServiceError like `lockDirectory`
 */
export function lockBackup(directory: string): DirectoryLock {
  return lock(directory, BACKUP);
}

function lock(directory: string, kind: LockKind): DirectoryLock {
  prepare(directory, kind);
  const database = open(directory, kind);
  try {
    database.exec('PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    // SQLite falls back to reading where it may not write, and then locks nobody out; this tells. It is
    // never committed, so the file stays empty.
    database.exec('CREATE TABLE held (x)');
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(messageOf(error))) throw lockedError(directory, kind);
    throw unusable(directory, error);
  }
  try {
    nameOwner(directory, kind);
  } catch (error) {
    database.close();
    throw unusable(directory, error);
  }
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}

function nameOwner(directory: string, { ownerFile }: LockKind): void {
  writeFileSync(
    statePath(directory, ownerFile),
    `${JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() })}\n`,
  );
}

function prepare(directory: string, { file }: LockKind): void {
  try {
    makeDirectoryDurable(join(directory, STATE_DIRECTORY));
    const path = statePath(directory, file);
    // Closing any descriptor of the file would give up a lock that this very process holds (POSIX).
    if (!existsSync(path)) writeFileSync(path, '');
  } catch (error) {
    throw unusable(directory, error);
  }
}

function open(directory: string, { file }: LockKind): DatabaseSync {
  try {
    return new DatabaseSync(statePath(directory, file));
  } catch (error) {
    throw unusable(directory, error);
  }
}

function unusable(directory: string, error: unknown): ServiceError {
  // A disk that cannot make a name durable says so itself.
  if (error instanceof ServiceError) return error;
  return new ServiceError(
    'DIRECTORY_UNUSABLE',
    `Cannot use the output directory ${directory} (${messageOf(error)}): make it writable for this user, or set LOG_OUTPUT_DIR to another one.`,
    { directory },
    error,
  );
}

function lockedError(directory: string, kind: LockKind): ServiceError {
  const message = kind.locked(directory, describeOwner(directory, kind));
  return new ServiceError('DIRECTORY_LOCKED', message, { directory });
}

function describeOwner(directory: string, { ownerFile }: LockKind): string {
  try {
    const owner: unknown = JSON.parse(readFileSync(statePath(directory, ownerFile), 'utf8'));
    if (typeof owner === 'object' && owner !== null && 'pid' in owner && 'host' in owner) {
      return `process ${String(owner.pid)} on ${String(owner.host)}`;
    }
  } catch {
    // The owner may be writing the file this very moment; the lock itself is what counts.
  }
  return 'another process';
}
