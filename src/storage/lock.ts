/**
 * One process per output directory. The lock is a real file lock of the kernel, taken through SQLite
 * (exclusive transaction on `state/lock`, which stays empty), since Node has none of its own: it ends
 * with the process however that dies, holds across containers and on network storage with POSIX locks,
 * and so never goes stale. `state/owner.json` only tells people who holds it. Replays lock each other out
 * in the same way, with files of their own.
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

/** What is locked: the names of its two files in `state/`, and the sentence for whoever comes second. */
interface LockKind {
  readonly lock: string;
  readonly owner: string;
  readonly occupied: (directory: string, owner: string) => string;
}

const DIRECTORY: LockKind = {
  lock: 'lock',
  owner: 'owner.json',
  occupied: (directory, owner) =>
    `The output directory ${directory} is in use by ${owner}: stop that process, or give this one its own LOG_OUTPUT_DIR or INSTANCE_ID.`,
};

const REPLAY: LockKind = {
  lock: 'replay.lock',
  owner: 'replay-owner.json',
  occupied: (directory, owner) =>
    `The quarantine of ${directory} is being replayed by ${owner}: wait until that has ended, then run this again.`,
};

const BACKUP: LockKind = {
  lock: 'backup.lock',
  owner: 'backup-owner.json',
  occupied: (directory, owner) =>
    `The backup of ${directory} is being made by ${owner}: wait until that is done.`,
};

/**
 * @throws ServiceError DIRECTORY_LOCKED when another process holds it,
 *   DIRECTORY_UNUSABLE when the directory cannot be made or written
 */
export function lockDirectory(directory: string): DirectoryLock {
  return take(directory, DIRECTORY);
}

/** One replay at a time; a service may run beside it. Throws as `lockDirectory`. */
export function lockReplay(directory: string): DirectoryLock {
  return take(directory, REPLAY);
}

/** Only one process copies a directory into a store at a time; a service may run beside it. Throws as `lockDirectory`. */
export function lockBackup(directory: string): DirectoryLock {
  return take(directory, BACKUP);
}

function take(directory: string, kind: LockKind): DirectoryLock {
  let lock: DirectoryLock | undefined;
  try {
    makeDirectoryDurable(join(directory, STATE_DIRECTORY));
    lock = tryLock(statePath(directory, kind.lock));
    if (lock !== undefined) nameOwner(directory, kind);
  } catch (error) {
    lock?.release();
    throw unusable(directory, error);
  }
  if (lock === undefined) throw lockedError(directory, kind);
  return lock;
}

/**
 * Takes the lock on one file, which is made when it is missing.
 * @returns undefined when another process holds it
 * @throws Error when the file cannot be made or written
 */
export function tryLock(path: string): DirectoryLock | undefined {
  // Closing any descriptor of the file would give up a lock that this very process holds (POSIX).
  if (!existsSync(path)) writeFileSync(path, '');
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    // SQLite falls back to reading where it may not write, and then locks nobody out; this tells. It is
    // never committed, so the file stays empty.
    database.exec('CREATE TABLE held (x)');
  } catch (error) {
    database.close();
    if (/locked|busy/i.test(messageOf(error))) return undefined;
    throw error;
  }
  held.add(database);
  return {
    release: () => {
      held.delete(database);
      database.close();
    },
  };
}

function nameOwner(directory: string, kind: LockKind): void {
  writeFileSync(
    statePath(directory, kind.owner),
    `${JSON.stringify({ pid: process.pid, host: hostname(), since: new Date().toISOString() })}\n`,
  );
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
  return new ServiceError('DIRECTORY_LOCKED', kind.occupied(directory, describeOwner(directory, kind)), {
    directory,
  });
}

function describeOwner(directory: string, kind: LockKind): string {
  try {
    const owner: unknown = JSON.parse(readFileSync(statePath(directory, kind.owner), 'utf8'));
    if (typeof owner === 'object' && owner !== null && 'pid' in owner && 'host' in owner) {
      return `process ${String(owner.pid)} on ${String(owner.host)}`;
    }
  } catch {
    // The owner may be writing the file this very moment; the lock itself is what counts.
  }
  return 'another process';
}
