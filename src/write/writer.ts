/**
 * The writer: the only owner of log files and checkpoint. One loop takes requests in order; helpers
 * below it are straight.
 *
 * Invariants
 * - Units are appended whole, in the order they came; a failed group is undone in all files.
 * - A checkpoint speaks only of bytes that are fdatasynced. It is taken between groups, so all files
 *   stand at the same unit.
 * - A checkpoint is begun only when Kafka has taken the one before (acknowledgement.ts).
 * - A rotation is recorded in a durable checkpoint before the rename, and finished before the next.
 *
 * Appending goes on while a checkpoint's fdatasync runs and while Kafka takes it: the snapshot was taken
 * before, and what is appended meanwhile belongs to the next one.
 *
 * Two requests do not wait for their turn: an acknowledgement, since the loop may wait for it, and a
 * roll-back, which makes everything before it pointless.
 */
import type { Clock } from '../core/clock.ts';
import { messageOf, ServiceError } from '../core/errors.ts';
import type { LogFile } from '../core/files.ts';
import { unreachable } from '../core/invariant.ts';
import type { WriterEvent, WriterOptions, WriterRequest, WriteUnit } from '../core/messages.ts';
import { prepareDirectories, type Recovery, recover } from '../storage/recovery.ts';
import { rollBack } from '../storage/roll-back.ts';
import { Acknowledgement, RolledBack } from './acknowledgement.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { DiskRetry } from './disk-retry.ts';
import { LogFileSet } from './log-file-set.ts';
import { PartitionAccounts, positionsBefore, positionsOf } from './partition-accounts.ts';
import { PendingUnits } from './pending-units.ts';

type Emit = (event: WriterEvent, transfer?: readonly ArrayBuffer[]) => void;

type QueuedRequest = Exclude<WriterRequest, { kind: 'acknowledged' | 'roll_back' }>;

export class Writer {
  readonly #options: WriterOptions;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #store: CheckpointStore;
  readonly #disk: DiskRetry;
  #requests: QueuedRequest[] = [];
  #files: LogFileSet;
  #accounts: PartitionAccounts;
  #acknowledgement: Acknowledgement;
  #sequence: number;
  readonly #pending: PendingUnits;
  #writtenUnits = 0;
  #changedSinceCheckpoint = false;
  #flushDue = false;
  #checkpointDue = false;
  #rollBackDue = false;
  #stopDue = false;
  #running = false;
  #state: 'open' | 'stopped' | 'failed' = 'open';
  #checkpointing: Promise<void> = Promise.resolve();
  #checkpointInFlight = false;
  #flushTimer: NodeJS.Timeout | undefined;
  readonly #checkpointTimer: NodeJS.Timeout;

  /**
   * Recovers the directory and opens the files; emits `ready`.
   * @throws ServiceError when the files contradict the checkpoint
   */
  constructor(options: WriterOptions, clock: Clock, emit: Emit) {
    this.#options = options;
    this.#clock = clock;
    this.#emit = emit;
    this.#pending = new PendingUnits(options.bufferRecords);
    this.#disk = new DiskRetry({
      directory: options.directory,
      // After a failure nothing is to be told any more.
      emit: (event) => {
        if (this.#state !== 'failed') emit(event);
      },
      mustBeWanted: () => this.#mustGoOn(),
    });
    prepareDirectories(options.directory);
    const recovery = recover(options.directory, options.instance, clock.now());
    const { checkpoint, acknowledged } = recovery;
    this.#sequence = checkpoint.sequence;
    this.#store = new CheckpointStore(options.directory);
    this.#accounts = new PartitionAccounts(checkpoint.partitions);
    this.#files = new LogFileSet(options, checkpoint, clock, this.#accounts);
    this.#acknowledgement = new Acknowledgement(checkpoint, acknowledged);
    emit({
      kind: 'ready',
      directoryId: checkpoint.directory_id,
      checkpoint: { sequence: checkpoint.sequence, positions: positionsOf(checkpoint) },
      acknowledged: { sequence: acknowledged.sequence, positions: positionsBefore(checkpoint, acknowledged) },
      recovery: recovery.actions,
    });
    this.#checkpointTimer = setInterval(() => this.#wantCheckpoint(), options.checkpointIntervalMs);
  }

  /** Takes a request; the answer comes as an event. */
  request(request: WriterRequest): void {
    if (request.kind === 'acknowledged') {
      for (const range of request.uncertain) this.#accounts.doubt(range);
      this.#acknowledgement.take(request.sequence);
    } else if (request.kind === 'roll_back') {
      this.#rollBackDue = true;
      this.#forgetRequests();
      this.#acknowledgement.abandon();
    } else {
      this.#requests.push(request);
    }
    this.#wake();
  }

  #wantCheckpoint(): void {
    this.#checkpointDue = true;
    this.#wake();
  }

  #wake(): void {
    if (this.#running || this.#state !== 'open') return;
    this.#running = true;
    this.#loop()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#running = false;
        // What came while the loop was about to rest found it running still.
        if (this.#hasWork()) this.#wake();
      });
  }

  #hasWork(): boolean {
    const canCheckpoint = this.#checkpointDue && !this.#acknowledgement.isWaiting;
    return this.#requests.length > 0 || this.#rollBackDue || this.#stopDue || this.#flushDue || canCheckpoint;
  }

  async #loop(): Promise<void> {
    while (this.#state === 'open') {
      try {
        if (!(await this.#step())) return;
      } catch (error) {
        if (!(error instanceof RolledBack)) throw error;
      }
    }
  }

  /** @returns false when there is nothing to do */
  async #step(): Promise<boolean> {
    if (this.#rollBackDue) {
      await this.#rollBack();
    } else if (this.#stopDue) {
      await this.#stop();
    } else if (this.#checkpointDue && !this.#acknowledgement.isWaiting) {
      await this.#startCheckpoint();
    } else if (this.#flushDue) {
      await this.#flush();
    } else {
      const request = this.#requests.shift();
      if (request === undefined) return false;
      await this.#handle(request);
    }
    return true;
  }

  async #handle(request: QueuedRequest): Promise<void> {
    switch (request.kind) {
      case 'append':
        return this.#accept(request.unit);
      case 'skip':
        await this.#flush();
        this.#accounts.skip(request.topic, request.partition, request);
        this.#writtenUnits += 1;
        this.#changedSinceCheckpoint = true;
        return;
      case 'checkpoint':
        this.#checkpointDue = true;
        return this.#flush();
      case 'stop':
        // A flag, because a roll-back can end the attempt and leave it to be done again.
        this.#stopDue = true;
        return;
      default:
        return unreachable(request, 'writer request');
    }
  }

  async #accept(unit: WriteUnit): Promise<void> {
    this.#pending.push(unit);
    if (this.#pending.isFull) return this.#flush();
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
    while (this.#pending.units.length > 0) {
      const { fitting, rotating } = this.#files.plan(this.#pending.units);
      if (fitting === 0) await this.#rotate(rotating);
      else await this.#writeGroup(fitting);
    }
  }

  async #writeGroup(count: number): Promise<void> {
    const units = this.#pending.units.slice(0, count);
    await this.#disk.run('write', () => this.#files.append(units));
    this.#pending.take(count);
    for (const unit of units) this.#accounts.add(unit);
    this.#files.account(units);
    this.#changedSinceCheckpoint = true;
    this.#writtenUnits += units.length;
    this.#release(units);
  }

  #release(units: readonly WriteUnit[]): void {
    const outputs = units.flatMap((unit) => (unit.output === null ? [] : [unit.output]));
    if (units.length > 0) this.#emit({ kind: 'released', outputs, units: units.length }, outputs);
  }

  /** Flushes and takes the snapshot now; its way to the disk goes on beside the appends. */
  async #startCheckpoint(): Promise<void> {
    this.#checkpointDue = false;
    if (this.#checkpointInFlight) return;
    await this.#flush();
    const aged = this.#files.aged();
    if (aged.length > 0) return this.#rotate(aged);
    // The flush may have rotated, and with that begun a checkpoint that is still to be acknowledged.
    if (this.#acknowledgement.isWaiting) return this.#wantCheckpointLater();
    if (!this.#changedSinceCheckpoint) return;
    this.#checkpointInFlight = true;
    this.#checkpointing = this.#checkpoint([])
      // Failed comes first: the loop must never see a failed checkpoint as a finished one.
      .catch((error: unknown) => {
        if (!(error instanceof RolledBack)) this.#fail(error);
        throw error;
      })
      .finally(() => {
        this.#checkpointInFlight = false;
      });
    this.#checkpointing.catch(() => undefined);
  }

  /** The acknowledgement that is waited for wakes the loop. */
  #wantCheckpointLater(): void {
    this.#checkpointDue = true;
  }

  /** Snapshot (synchronous), then fdatasync of the files, then the checkpoint itself. */
  async #checkpoint(rotating: readonly LogFile[]): Promise<void> {
    const startedAt = this.#clock.monotonic();
    this.#changedSinceCheckpoint = false;
    this.#sequence += 1;
    const { sequence: acknowledged } = this.#acknowledgement.acknowledged;
    const snapshot = this.#files.snapshot(this.#sequence, acknowledged, rotating);
    this.#acknowledgement.begin(snapshot);
    const durableUnits = this.#writtenUnits;
    const positions = this.#accounts.positions();
    const fileBytes = this.#files.lengths();
    await this.#files.sync();
    await this.#disk.run('checkpoint', () => this.#store.replace(snapshot));
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
    // A roll-back that was asked for meanwhile leaves nobody who would acknowledge.
    this.#mustGoOn();
    await this.#acknowledgement.settled();
    await this.#checkpoint(files);
    await this.#disk.run('rotation', () =>
      this.#files.finishRotation((closed) => this.#emit({ kind: 'rotated', ...closed })),
    );
    this.#changedSinceCheckpoint = true;
  }

  async #stop(): Promise<void> {
    await this.#flush();
    await this.#checkpointing;
    if (this.#changedSinceCheckpoint) {
      this.#mustGoOn();
      await this.#acknowledgement.settled();
      await this.#checkpoint([]);
    }
    this.#close('stopped');
    this.#emit({ kind: 'stopped' });
  }

  /** Nothing but a stop survives a roll-back; the buffers of units go back. */
  #forgetRequests(): void {
    const units = this.#requests.flatMap((request) => (request.kind === 'append' ? [request.unit] : []));
    this.#requests = this.#requests.filter(({ kind }) => kind === 'stop');
    this.#release(units);
  }

  async #rollBack(): Promise<void> {
    // It ends by itself, or with RolledBack once it sees that nobody wants it.
    await this.#checkpointing.catch(ignoreRolledBack);
    // Or every rotation that is to come would wait for it, and be told of this roll-back again.
    this.#checkpointing = Promise.resolve();
    if (this.#state !== 'open') return;
    this.#release(this.#pending.take(this.#pending.units.length));
    this.#files.close();
    this.#sequence += 1;
    const { acknowledged } = this.#acknowledgement;
    const { directory } = this.#options;
    // Whoever looks meanwhile whether it is still wanted must hear yes.
    this.#rollBackDue = false;
    let recovery: Recovery | undefined;
    await this.#disk.run('roll-back', () => {
      recovery = rollBack(directory, acknowledged, this.#sequence, this.#clock.now());
    });
    if (recovery !== undefined) this.#reopen(recovery);
  }

  #reopen({ checkpoint, acknowledged, actions }: Recovery): void {
    this.#accounts = new PartitionAccounts(checkpoint.partitions);
    this.#files = new LogFileSet(this.#options, checkpoint, this.#clock, this.#accounts);
    this.#acknowledgement = new Acknowledgement(checkpoint, acknowledged);
    this.#writtenUnits = 0;
    this.#changedSinceCheckpoint = false;
    this.#emit({
      kind: 'rolled_back',
      checkpoint: { sequence: checkpoint.sequence, positions: positionsOf(checkpoint) },
      recovery: actions,
    });
  }

  /** Whether waiting for the disk still makes sense. */
  #mustGoOn(): void {
    if (this.#rollBackDue) throw new RolledBack();
    // Something else failed for good meanwhile: nothing more may be written.
    if (this.#state === 'failed') throw new ServiceError('WRITE_FAILED', 'the writer has failed already');
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

function ignoreRolledBack(error: unknown): void {
  if (!(error instanceof RolledBack)) throw error;
}
