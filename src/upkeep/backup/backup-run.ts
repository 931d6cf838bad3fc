/** One round of a backup: what is missing now, copied oldest first. See backup.ts. */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import { Backoff, type BackoffLimits } from '../../resilience/backoff.ts';
import type { Circuit } from '../../resilience/circuit.ts';
import { type Confirmed, readBackupProgress, writeBackupProgress } from '../../storage/backup-state.ts';
import { readIfPresent } from '../../storage/checked-json.ts';
import { decodeCheckpoint } from '../../storage/checkpoint.ts';
import { activePath, CHECKPOINT_FILE, SEGMENT_SUFFIX, STATE_DIRECTORY } from '../../storage/layout.ts';
import { closedSegments } from '../../storage/recovery.ts';
import { readRetentionLedger, removedThrough } from '../../storage/retention-ledger.ts';
import { putConfirmed } from './confirmed-put.ts';
import { fileContent, textContent } from './object-digest.ts';
import type { Content, ObjectStore } from './object-store.ts';
import { keyOf, requireSealed, type SealedSegment, sealedSegments } from './segment-files.ts';
import { parseTailName, tailFolder, tailKey, tailsOf, writeTail } from './tails.ts';

/** Where a tail is compressed, in `state/`. */
const TAIL_FILE = 'backup-tail.tmp';

/** A closed file that was not compressed for so long is in trouble, and nothing waits for it any more. */
const COMPRESSION_PATIENCE_MS = 3_600_000;

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

/** Whether an error says that the store is in trouble. */
export function isStoreOutage(error: unknown): boolean {
  return (
    error instanceof ServiceError && (error.code === 'STORE_UNREACHABLE' || error.code === 'STORE_REFUSED')
  );
}

export class BackupRun {
  readonly #options: BackupOptions;
  readonly #signal: AbortSignal;
  readonly #problems = new Set<string>();
  readonly #confirmed: Record<LogFile, number>;
  readonly #gone: Record<LogFile, number>;
  /** Whether the store is in trouble: then the rest of the call would only wait for the same. */
  #isStopped = false;
  /** Whether something was confirmed. */
  #hasAdvanced = false;
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
    // service_logs last: what belongs to its records is in the store before it.
    for (const { file, done, segments } of work.toReversed()) {
      if (file === 'service_logs') await this.#copyTails(segments);
      await this.#copyAll(file, done, file === 'service_logs' ? this.#accompanied(segments) : segments);
    }
    await this.#removeTails();
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

  /** Those before the first that has to wait for a segment of another file to be compressed. */
  #accompanied(segments: readonly SealedSegment[]): readonly SealedSegment[] {
    const { directory } = this.#options;
    const waiting = new Map(
      LOG_FILES.map((file) => [file, waitingSince(directory, file)] as const).filter(
        ([, since]) => since !== undefined,
      ),
    );
    const first = segments.findIndex(({ facts: { alongside = {} } }) =>
      [...waiting].some(([file, number]) => (alongside[file]?.number ?? 0) > (number ?? Infinity)),
    );
    return first === -1 ? segments : segments.slice(0, first);
  }

  async #copyTails(segments: readonly SealedSegment[]): Promise<void> {
    const { directory, root, partBytes } = this.#options;
    const temporary = join(directory, STATE_DIRECTORY, TAIL_FILE);
    const facts = segments.map((segment) => segment.facts);
    for (const tail of tailsOf(directory, facts)) {
      if (this.#isStopped) break;
      const key = tailKey({
        instance: keyOf(root, directory),
        file: tail.file,
        number: tail.position.number,
      });
      const path = activePath(directory, tail.file);
      await this.#persist(path, async () => {
        if (!(await writeTail(directory, tail, temporary))) return;
        await this.#send(key, path, await fileContent(temporary, partBytes), true);
      });
    }
    rmSync(temporary, { force: true });
  }

  /** Those whose segments are in the store as a whole; a store that lets nobody delete keeps them. */
  async #removeTails(): Promise<void> {
    if (!this.#hasAdvanced || this.#isStopped) return;
    const { root, directory, store } = this.#options;
    const folder = store.prefix + tailFolder(keyOf(root, directory));
    try {
      for await (const { key } of store.list(folder, this.#signal)) {
        const tail = parseTailName(key.slice(folder.length));
        if (tail !== undefined && tail.number <= this.#confirmed[tail.file])
          await store.remove(key, this.#signal);
      }
    } catch {
      // They only take room, and the next round tries again.
      this.#signal.throwIfAborted();
    }
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
    this.#hasAdvanced = true;
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

  #put(path: string, content: Content, archived: boolean): Promise<void> {
    return this.#send(keyOf(this.#options.root, path), path, content, archived);
  }

  async #send(key: string, path: string, content: Content, archived: boolean): Promise<void> {
    const { store, onUploaded } = this.#options;
    const startedAt = performance.now();
    const sent = await putConfirmed(store, store.prefix + key, content, archived, this.#signal);
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

/** Number of the oldest segment that is to be compressed soon. */
function waitingSince(directory: string, file: LogFile): number | undefined {
  return closedSegments(directory, file).find(({ path, suffixes }) => {
    const plain = suffixes.includes(SEGMENT_SUFFIX.plain)
      ? statSync(path + SEGMENT_SUFFIX.plain, { throwIfNoEntry: false })
      : undefined;
    return plain !== undefined && Date.now() - plain.ctimeMs < COMPRESSION_PATIENCE_MS;
  })?.number;
}

/** Waits for all, also when one is rejected: nothing may go on after the lock is given back. */
async function allOf<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
