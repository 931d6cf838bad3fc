/**
 * The writer: the only owner of log files and checkpoint. One loop takes requests in order; helpers
 * below it are straight.
 *
 * Invariants
 * - Units are appended whole, in the order they came; a failed group is undone in all files.
 * - A checkpoint speaks only of bytes that are fdatasynced. It is taken between groups, so all files
 *   stand at the same unit.
 * - A rotation is recorded in a durable checkpoint before the rename, and finished before the next.
 *
 * Appending goes on while a checkpoint's fdatasync runs: the snapshot was taken before it, and what is
 * appended meanwhile belongs to the next one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { messageOf, ServiceError, systemCodeOf } from '../core/errors.ts';
import type { LogFile } from '../core/files.ts';
import { unreachable } from '../core/invariant.ts';
import { DISK_RETRY_MS, MAX_PENDING_WRITE_BYTES, MAX_PENDING_WRITE_UNITS } from '../core/limits.ts';
import type { WriterEvent, WriterOptions, WriterRequest, WriteUnit } from '../core/messages.ts';
import { prepareDirectories, recover } from '../storage/recovery.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { LogFileSet } from './log-file-set.ts';
import { PartitionAccounts } from './partition-accounts.ts';

type Emit = (event: WriterEvent, transfer?: readonly ArrayBuffer[]) => void;

export class Writer {
  readonly #options: WriterOptions;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #store: CheckpointStore;
  readonly #requests: WriterRequest[] = [];
  readonly #files: LogFileSet;
  readonly #accounts: PartitionAccounts;
  #sequence: number;
  #pending: WriteUnit[] = [];
  #pendingRecords = 0;
  #pendingBytes = 0;
  #writtenUnits = 0;
  #changedSinceCheckpoint = false;
  #flushDue = false;
  #checkpointDue = false;
  #running = false;
  #state: 'open' | 'stopped' | 'failed' = 'open';
  #checkpointing: Promise<void> = Promise.resolve();
  #checkpointInFlight = false;
  #blockedOperations = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #checkpointTimer: NodeJS.Timeout | undefined;

  /**
   * Recovers the directory and opens the files; emits `ready`.
   * @throws ServiceError when the files contradict the checkpoint
   */
  constructor(options: WriterOptions, clock: Clock, emit: Emit) {
    this.#options = options;
    this.#clock = clock;
    this.#emit = emit;
    prepareDirectories(options.directory);
    const { checkpoint, actions } = recover(options.directory, options.instance, clock.now());
    this.#sequence = checkpoint.sequence;
    this.#store = new CheckpointStore(options.directory);
    this.#accounts = new PartitionAccounts(checkpoint.partitions);
    this.#files = new LogFileSet(options, checkpoint, clock, this.#accounts);
    emit({
      kind: 'ready',
      sequence: this.#sequence,
      positions: this.#accounts.positions(),
      recovery: actions,
    });
    this.#checkpointTimer = setInterval(() => {
      this.#checkpointDue = true;
      this.#wake();
    }, options.checkpointIntervalMs);
  }

  /** Takes a request; the answer comes as an event. */
  request(request: WriterRequest): void {
    this.#requests.push(request);
    this.#wake();
  }

  #wake(): void {
    if (this.#running || this.#state !== 'open') return;
    this.#running = true;
    this.#loop()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running = false;
      });
  }

  async #loop(): Promise<void> {
    while (this.#state === 'open') {
      if (this.#checkpointDue) {
        await this.#startCheckpoint();
      } else if (this.#flushDue) {
        await this.#flush();
      } else {
        const request = this.#requests.shift();
        if (request === undefined) return;
        await this.#handle(request);
      }
    }
  }

  async #handle(request: WriterRequest): Promise<void> {
    switch (request.kind) {
      case 'append':
        return this.#accept(request.unit);
      case 'skip':
        await this.#flush();
        this.#accounts.skip(request.topic, request.partition, request);
        this.#changedSinceCheckpoint = true;
        return;
      case 'checkpoint':
        return this.#startCheckpoint();
      case 'stop':
        return this.#stop();
      default:
        return unreachable(request, 'writer request');
    }
  }

  async #accept(unit: WriteUnit): Promise<void> {
    this.#pending.push(unit);
    this.#pendingRecords += unit.counts.consumed;
    for (const region of unit.regions) this.#pendingBytes += region.end - region.start;
    const full =
      this.#pendingRecords >= this.#options.bufferRecords ||
      this.#pendingBytes >= MAX_PENDING_WRITE_BYTES ||
      this.#pending.length >= MAX_PENDING_WRITE_UNITS;
    if (full) return this.#flush();
    this.#flushTimer ??= setTimeout(() => {
      this.#flushDue = true;
      this.#wake();
    }, this.#options.flushIntervalMs);
  }

  /** Writes everything that waits, rotating where a limit is reached. */
  async #flush(): Promise<void> {
    this.#flushDue = false;
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    while (this.#pending.length > 0) {
      const { fitting, rotating } = this.#files.plan(this.#pending);
      if (fitting === 0) await this.#rotate(rotating);
      else await this.#writeGroup(this.#pending.splice(0, fitting));
    }
    this.#pendingRecords = 0;
    this.#pendingBytes = 0;
  }

  async #writeGroup(units: readonly WriteUnit[]): Promise<void> {
    await this.#retryWhileDiskFull('write', () => this.#files.append(units));
    for (const unit of units) this.#accounts.add(unit);
    this.#files.account(units);
    this.#changedSinceCheckpoint = true;
    this.#writtenUnits += units.length;
    const outputs = units.flatMap((unit) => (unit.output === null ? [] : [unit.output]));
    this.#emit({ kind: 'released', outputs, units: units.length }, outputs);
  }

  /** Flushes and takes the snapshot now; its way to the disk goes on beside the appends. */
  async #startCheckpoint(): Promise<void> {
    this.#checkpointDue = false;
    if (this.#checkpointInFlight) return;
    await this.#flush();
    const aged = this.#files.aged();
    if (aged.length > 0) return this.#rotate(aged);
    if (!this.#changedSinceCheckpoint) return;
    this.#checkpointInFlight = true;
    this.#checkpointing = this.#checkpoint([])
      // Failed comes first: the loop must never see a failed checkpoint as a finished one.
      .catch((error: unknown) => {
        this.#fail(error);
        throw error;
      })
      .finally(() => {
        this.#checkpointInFlight = false;
      });
    this.#checkpointing.catch(() => undefined);
  }

  /** Snapshot (synchronous), then fdatasync of the files, then the checkpoint itself. */
  async #checkpoint(rotating: readonly LogFile[]): Promise<void> {
    const startedAt = this.#clock.monotonic();
    this.#changedSinceCheckpoint = false;
    this.#sequence += 1;
    const snapshot = this.#files.snapshot(this.#sequence, rotating);
    const durableUnits = this.#writtenUnits;
    const positions = this.#accounts.positions();
    const fileBytes = this.#files.lengths();
    await this.#files.sync();
    await this.#retryWhileDiskFull('checkpoint', () => this.#store.replace(snapshot));
    this.#emit({
      kind: 'checkpointed',
      sequence: snapshot.sequence,
      durationMs: this.#clock.monotonic() - startedAt,
      positions,
      durableUnits,
      fileBytes,
    });
  }

  async #rotate(files: readonly LogFile[]): Promise<void> {
    await this.#checkpointing;
    await this.#checkpoint(files);
    await this.#retryWhileDiskFull('rotation', () =>
      this.#files.finishRotation((closed) => this.#emit({ kind: 'rotated', ...closed })),
    );
    this.#changedSinceCheckpoint = true;
  }

  async #stop(): Promise<void> {
    await this.#flush();
    await this.#checkpointing;
    if (this.#changedSinceCheckpoint) await this.#checkpoint([]);
    this.#close('stopped');
    this.#emit({ kind: 'stopped' });
  }

  /**
   * A full disk is waited for; every other failure of a write ends the process. Appends and a checkpoint
   * can wait at the same time: `blocked` is told by the first, `unblocked` by the last of them.
   */
  async #retryWhileDiskFull(what: string, attempt: () => void | Promise<void>): Promise<void> {
    let blocked = false;
    for (;;) {
      try {
        await attempt();
        if (blocked) this.#leaveBlocked();
        return;
      } catch (error) {
        if (error instanceof ServiceError) throw error;
        if (!isDiskFull(error)) throw writeFailed(this.#options.directory, what, error);
        if (!blocked) this.#enterBlocked(`${what} in ${this.#options.directory}: ${messageOf(error)}`);
        blocked = true;
        await sleep(DISK_RETRY_MS);
        // Something else failed for good meanwhile: nothing more may be written.
        if (this.#state === 'failed') throw error;
      }
    }
  }

  #enterBlocked(reason: string): void {
    if (this.#blockedOperations === 0) this.#emit({ kind: 'blocked', reason });
    this.#blockedOperations += 1;
  }

  #leaveBlocked(): void {
    this.#blockedOperations -= 1;
    if (this.#blockedOperations === 0) this.#emit({ kind: 'unblocked' });
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed') return;
    this.#close('failed');
    const known =
      error instanceof ServiceError ? error : new ServiceError('WRITE_FAILED', messageOf(error), {}, error);
    this.#emit({ kind: 'failed', error: known.serialise() });
  }

  #close(state: 'stopped' | 'failed'): void {
    this.#state = state;
    clearInterval(this.#checkpointTimer);
    clearTimeout(this.#flushTimer);
    if (state === 'stopped') this.#files.close();
  }
}

function isDiskFull(error: unknown): boolean {
  const code = systemCodeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function writeFailed(directory: string, what: string, error: unknown): ServiceError {
  return new ServiceError(
    'WRITE_FAILED',
    `The ${what} in ${directory} failed (${messageOf(error)}): check the disk and its mount; nothing after the last checkpoint was acknowledged, so a restart continues from there.`,
    { directory },
    error,
  );
}
