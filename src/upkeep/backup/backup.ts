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
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import { Backoff, type BackoffLimits } from '../../resilience/backoff.ts';
import type { Circuit } from '../../resilience/circuit.ts';
import { type Confirmed, readBackupProgress, writeBackupProgress } from '../../storage/backup-state.ts';
import { readIfPresent } from '../../storage/checked-json.ts';
import { decodeCheckpoint } from '../../storage/checkpoint.ts';
import { CHECKPOINT_FILE, SEGMENT_SUFFIX, STATE_DIRECTORY } from '../../storage/layout.ts';
import { type DirectoryLock, lockBackup } from '../../storage/lock.ts';
import { closedSegments } from '../../storage/recovery.ts';
import { readRetentionLedger, removedThrough } from '../../storage/retention-ledger.ts';
import { putConfirmed } from './confirmed-put.ts';
import { fileContent, textContent } from './object-digest.ts';
import type { Content, ObjectStore } from './object-store.ts';
import { keyOf, requireSealed, type SealedSegment, sealedSegments } from './segment-files.ts';

export interface BackupOptions {
  /** The output root: keys are paths below it. */
  readonly root: string;
  /** Of the instance; the root itself when there is only one. */
  readonly directory: string;
  readonly store: ObjectStore;
  /** Names the place for `state/backup.json` (`targetIdentity`). */
  readonly target: string;
  readonly partBytes: number;
  /** Segments at the same time. */
  readonly concurrency: number;
  /** Tries of one file before it is left to the next call. */
  readonly attempts: number;
  readonly pauses: BackoffLimits;
  /** Opens when the store is in trouble; `isStoreOutage` says which errors count. */
  readonly circuit: Pick<Circuit, 'run'>;
  /** A file was sent, or, with 0 bytes, found in the store. */
  readonly onUploaded: (path: string, bytes: number, durationMs: number) => void;
  /** @param retryInMs null when it is left to the next call */
  readonly onFailed: (path: string, error: unknown, retryInMs: number | null) => void;
  /** What is not confirmed yet. */
  readonly onBacklog: (files: number, bytes: number) => void;
}

export interface BackupResult {
  /** Files that were sent; those found in the store are not among them. */
  readonly files: number;
  readonly bytes: number;
  readonly confirmed: Confirmed;
  /** What could not be copied, one sentence each. */
  readonly problems: readonly string[];
}

const LOCK_POLL_MS = 200;

/** Whether an error says that the store is in trouble. */
export function isStoreOutage(error: unknown): boolean {
  return (
    error instanceof ServiceError && (error.code === 'STORE_UNREACHABLE' || error.code === 'STORE_REFUSED')
  );
}

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
      return await new Run(this.#options, signal).run();
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

/** One call of `runOnce`. */
class Run {
  readonly #options: BackupOptions;
  readonly #signal: AbortSignal;
  readonly #problems = new Set<string>();
  readonly #confirmed: Record<LogFile, number>;
  readonly #gone: Record<LogFile, number>;
  /** Whether the store is in trouble: then the rest of the call would only wait for the same. */
  #isStopped = false;
  #waiting: { files: number; bytes: number } = { files: 0, bytes: 0 };
  #files = 0;
  #bytes = 0;

  constructor(options: BackupOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const { confirmed, gone } = readBackupProgress(options.directory, options.target);
    this.#confirmed = { ...confirmed };
    this.#gone = { ...gone };
  }

  async run(): Promise<BackupResult> {
    const { directory } = this.#options;
    const ledger = readRetentionLedger(directory);
    const work = LOG_FILES.map((file) => {
      const removed = removedThrough(ledger, file);
      if (this.#confirmed[file] === 0) this.#gone[file] = removed;
      const done = Math.max(this.#confirmed[file], removed);
      const segments = sealedSegments(directory, file, done, (path, error) => {
        this.#problems.add(`${path} cannot be read (${messageOf(error)}): run "log-consumer verify".`);
      });
      return { file, done, segments };
    });
    this.#announce(work.flatMap(({ segments }) => segments));
    for (const { file, done, segments } of work) await this.#copyAll(file, done, segments);
    await this.#copyCheckpoint();
    const problems = [...this.#problems];
    return { files: this.#files, bytes: this.#bytes, confirmed: this.#confirmed, problems };
  }

  #announce(segments: readonly SealedSegment[]): void {
    this.#waiting = {
      files: segments.reduce((sum, { suffixes }) => sum + suffixes.length, 0),
      bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    this.#options.onBacklog(this.#waiting.files, this.#waiting.bytes);
  }

  /** @param done number up to which nothing has to be copied any more */
  async #copyAll(file: LogFile, done: number, segments: readonly SealedSegment[]): Promise<void> {
    const { concurrency } = this.#options;
    let reached = done;
    for (let start = 0; start < segments.length && !this.#isStopped; start += concurrency) {
      const batch = segments.slice(start, start + concurrency);
      const copied = await allOf(batch.map((segment) => this.#copy(segment)));
      for (const [index, { number }] of batch.entries()) {
        if (copied[index] === true && number === reached + 1) reached = number;
      }
      this.#confirm(file, reached);
    }
    this.#reportHole(file, reached, segments);
  }

  /** A segment that is not there can never be confirmed, nor can those after it. */
  #reportHole(file: LogFile, reached: number, segments: readonly SealedSegment[]): void {
    const isBehind = segments.some(({ number }) => number > reached + 1);
    if (
      !isBehind ||
      closedSegments(this.#options.directory, file).some(({ number }) => number === reached + 1)
    )
      return;
    this.#problems.add(
      `Segment ${reached + 1} of ${file} is missing from ${this.#options.directory}, so nothing after it counts as backed up: run "log-consumer verify".`,
    );
  }

  #confirm(file: LogFile, reached: number): void {
    if (reached <= this.#confirmed[file]) return;
    this.#confirmed[file] = reached;
    const { directory, target } = this.#options;
    writeBackupProgress(directory, target, { confirmed: this.#confirmed, gone: this.#gone });
  }

  async #copy(segment: SealedSegment): Promise<boolean> {
    for (const suffix of segment.suffixes) {
      const path = segment.path + suffix;
      const isData = suffix === segment.data;
      const archived = suffix !== SEGMENT_SUFFIX.facts;
      const isCopied = await this.#persist(path, async () => {
        const content = await fileContent(path, this.#options.partBytes);
        if (isData) requireSealed(segment, content.digest);
        return this.#put(path, content, archived);
      });
      if (!isCopied) return false;
    }
    this.#waiting = {
      files: this.#waiting.files - segment.suffixes.length,
      bytes: this.#waiting.bytes - segment.bytes,
    };
    this.#options.onBacklog(this.#waiting.files, this.#waiting.bytes);
    return true;
  }

  /** As it is at this moment; the copy of an older one is replaced. */
  async #copyCheckpoint(): Promise<void> {
    const path = join(this.#options.directory, STATE_DIRECTORY, CHECKPOINT_FILE);
    const text = readIfPresent(path);
    if (this.#isStopped || text === undefined || decodeCheckpoint(text) === undefined) return;
    await this.#persist(path, () => this.#put(path, textContent(text), false));
  }

  async #put(path: string, content: Content, archived: boolean): Promise<void> {
    const { root, store, onUploaded } = this.#options;
    const startedAt = performance.now();
    const key = store.prefix + keyOf(root, path);
    const sent = await putConfirmed(store, key, content, archived, this.#signal);
    if (sent > 0) this.#files += 1;
    this.#bytes += sent;
    onUploaded(path, sent, performance.now() - startedAt);
  }

  /** @returns false when it failed for this call */
  async #persist(path: string, attempt: () => Promise<void>): Promise<boolean> {
    const { attempts, circuit, onFailed } = this.#options;
    const pauses = new Backoff(this.#options.pauses);
    for (let left = attempts - 1; ; left -= 1) {
      try {
        await circuit.run(attempt, this.#signal);
        return true;
      } catch (error) {
        this.#signal.throwIfAborted();
        const isFinal = left <= 0 || (error instanceof ServiceError && !error.retryable);
        const retryInMs = isFinal ? null : pauses.next();
        onFailed(path, error, retryInMs);
        if (retryInMs === null) {
          this.#problems.add(messageOf(error));
          this.#isStopped ||= isStoreOutage(error);
          return false;
        }
        await sleep(retryInMs, undefined, { signal: this.#signal });
      }
    }
  }
}

/** Waits for all, also when one is rejected: nothing may go on after the lock is given back. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
