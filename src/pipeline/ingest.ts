/**
 * The ingest loop, the only place where consuming, transforming and writing meet:
 *
 *   delivery -> queue (bounded) -> pool -> ledger (order) -> writer -> checkpoint -> commit
 *
 * Owns the ledger. Runs on the main thread and never touches the bytes of a record except for copying
 * whole batches.
 *
 * Invariants
 * - A delivery is taken only at the offset where the ledger stands, and copied before anything else runs.
 * - Everything carries the epoch of its assignment; what belongs to an older one is dropped where it
 *   would take effect: at the queue, at the ledger.
 * - Between two assignments nothing is taken.
 */
import type { Committer } from '../consume/committer.ts';
import { Ledger, type LedgerEntry } from '../consume/ledger.ts';
import type { RawBatch } from '../consume/raw-batch.ts';
import type { Delivery, Skipped } from '../consume/source.ts';
import type { Jump, PositionPolicy } from '../consume/start-position.ts';
import type { Clock } from '../core/clock.ts';
import { invariant, unreachable } from '../core/invariant.ts';
import { BACKPRESSURE_SLICE_MS } from '../core/limits.ts';
import type { TransformResult, TransformTask, WriterEvent } from '../core/messages.ts';
import type { Position, TopicPartition } from '../core/offsets.ts';
import { NO_FACTS } from '../storage/facts.ts';
import type { WriterClient } from '../write/writer-client.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import { BacklogWatch } from './backlog-watch.ts';
import { DurabilityTracker } from './durability-tracker.ts';
import { LagTracker } from './lag-tracker.ts';
import type { IngestObserver } from './observer.ts';
import { PositionGuard } from './position-guard.ts';
import type { PartitionStart } from './start-positions.ts';
import type { EntryResult } from './task-queue.ts';
import { TaskRunner } from './task-runner.ts';

export interface IngestOptions {
  readonly taskBytes: number;
  /** First size of an output buffer. */
  readonly outputBytes: number;
  readonly queueBytes: number;
  readonly queueItems: number;
  /** Tasks in the pool at the same time. */
  readonly tasksInFlight: number;
  readonly policy: PositionPolicy;
}

export interface IngestParts {
  readonly options: IngestOptions;
  readonly transform: (task: TransformTask) => Promise<TransformResult>;
  readonly writer: WriterClient;
  readonly committer: Pick<Committer, 'commit'>;
  readonly acknowledgements: Acknowledgements;
  readonly observer: IngestObserver;
  readonly clock: Clock;
  readonly seek: (topic: string, partition: number, offset: number) => void;
  /** Called once, for a failure that the loop cannot go on from. */
  readonly onFailure: (error: unknown) => void;
}

const NO_TIMESTAMPS = new Float64Array(0);

type Entry = LedgerEntry<EntryResult>;

const NO_COUNTS = {
  consumed: 0,
  written: 0,
  filtered: 0,
  quarantined: 0,
  missingTimestamps: 0,
  unknownLevels: 0,
  quarantineReasons: {},
};

export class Ingest {
  readonly #parts: IngestParts;
  readonly #ledger = new Ledger<EntryResult>();
  readonly #tasks: TaskRunner;
  readonly #guard: PositionGuard;
  #durability = new DurabilityTracker();
  readonly #lag: LagTracker;
  readonly #backlog: BacklogWatch;
  #isHeld = false;
  #accepting = true;
  #drained: (() => void) | undefined;

  constructor(parts: IngestParts) {
    this.#parts = parts;
    const { options, observer } = parts;
    this.#guard = new PositionGuard(this.#ledger, options.policy);
    this.#tasks = new TaskRunner({
      ...options,
      transform: parts.transform,
      onResult: (entry, result) => this.#takeResult(entry, result),
      onQueueChanged: (items, bytes) => observer.queueChanged(items, bytes),
      onFailure: parts.onFailure,
    });
    this.#lag = new LagTracker(observer);
    this.#backlog = new BacklogWatch(parts.clock);
  }

  /** Tasks that were taken and not handed to the writer yet. */
  get tasks(): number {
    return this.#ledger.size;
  }

  /** Whether for some time ingestion has kept up with what comes, so that there is time to spare. */
  isQuiet(): boolean {
    return this.#backlog.isQuiet(this.#tasks.isBehind);
  }

  /** Takes nothing more, or goes on; what was taken goes its way. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
  }

  /** The assignment is over: raises the epoch and drops what is not handed to the writer yet. */
  suspend(): void {
    this.#begin([]);
  }

  /** A new assignment, after `suspend`. Jumps are recorded before anything is read. */
  resume(starts: readonly PartitionStart[]): void {
    const positions = starts.map(({ topic, partition, offset }) => ({
      topic,
      partition,
      nextOffset: offset,
    }));
    this.#begin(positions);
    const { acknowledgements } = this.#parts;
    for (const position of positions) {
      const isNew = acknowledgements.filed(position.topic, position.partition) === undefined;
      if (isNew) acknowledgements.begin(position);
    }
    for (const { topic, partition, jumps } of starts) {
      for (const jump of jumps) this.#jump(topic, partition, jump);
    }
    this.#lag.begin(starts, positions);
    this.#parts.observer.assigned(this.#ledger.epoch, positions);
  }

  /** The files were cut back: of what was handed before nothing becomes durable. */
  rolledBack(): void {
    this.#durability = new DurabilityTracker();
  }

  /** Takes a delivery into the queue, waiting while that is full. Rejects only with Kafka's errors. */
  async deliver(delivery: Delivery): Promise<void> {
    if (!this.#accepting || !this.#accept(delivery)) return;
    const epoch = this.#ledger.epoch;
    this.#lag.delivered(delivery);
    this.#backlog.saw(this.#lag.unread());
    let first = 0;
    while (first < delivery.batches.length) {
      const end = this.#endOfTask(delivery.batches, first);
      const batches = delivery.batches.slice(first, end);
      const bytes = sumBytes(batches);
      while (this.#isHeld || !this.#tasks.hasRoom(bytes)) {
        await this.#tasks.waitForRoom(BACKPRESSURE_SLICE_MS);
        await delivery.heartbeat();
        if (this.#ledger.epoch !== epoch || !this.#accepting) return;
      }
      const isLast = end === delivery.batches.length;
      const nextOffset = isLast ? delivery.nextOffset : lastOf(batches).lastOffset + 1;
      if (!delivery.resolve(nextOffset)) return;
      this.#tasks.add(this.#ledger.take(delivery.topic, delivery.partition, nextOffset), batches, bytes);
      first = end;
    }
  }

  /** Moves past offsets that hold no data record. */
  skip(skipped: Skipped): void {
    if (!this.#accepting || !this.#accept(skipped)) return;
    const { topic, partition, nextOffset } = skipped;
    this.#resolve(this.#ledger.take(topic, partition, nextOffset), { kind: 'empty' });
  }

  /** Takes nothing more, and resolves when everything taken was handed to the writer. */
  async drain(): Promise<void> {
    this.#accepting = false;
    this.#tasks.wake();
    if (this.#ledger.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Handles what the writer reports of buffers and checkpoints. */
  onWriterEvent(event: Extract<WriterEvent, { kind: 'released' | 'checkpointed' }>): void {
    if (event.kind === 'released') {
      this.#tasks.release(event.outputs);
      return;
    }
    const { observer, committer, clock, acknowledgements } = this.#parts;
    acknowledgements.checkpointed(event, event.durableUnits);
    this.#durability.durable(event.durableUnits, clock.now(), (ms, records) => observer.latency(ms, records));
    observer.checkpointDurable(event.sequence, event.durationMs, event.fileBytes);
    this.#lag.durable(event.positions);
    committer.commit(event.sequence, event.positions);
  }

  /** @returns whether the delivery can be used; records a jump, or asks Kafka again, where it must */
  #accept(delivery: Pick<Delivery, keyof TopicPartition | 'fetchedOffset' | 'highWatermark'>): boolean {
    const { topic, partition, fetchedOffset } = delivery;
    const verdict = this.#guard.check(delivery);
    switch (verdict.kind) {
      case 'use':
        return true;
      case 'jump':
        this.#resolve(this.#ledger.take(topic, partition, fetchedOffset), verdict);
        return true;
      case 'ignore':
        return false;
      case 'ask_again':
        this.#parts.seek(topic, partition, verdict.offset);
        return false;
      case 'refuse':
        this.#parts.onFailure(verdict.error);
        return false;
      default:
        return unreachable(verdict, 'verdict');
    }
  }

  #begin(positions: readonly Position[]): void {
    this.#ledger.begin(positions);
    this.#guard.begin();
    this.#tasks.drop();
    this.#drained?.();
  }

  /** Offsets that are passed over are recorded by the writer like records. */
  #jump(topic: string, partition: number, { from, to, reason }: Jump): void {
    const { writer, observer, acknowledgements } = this.#parts;
    observer.positionJumped(topic, partition, from, to, reason);
    acknowledgements.handed({ topic, partition, nextOffset: to });
    if (reason === 'stored_by_others') acknowledgements.begin({ topic, partition, nextOffset: to });
    this.#durability.handed(NO_TIMESTAMPS);
    writer.skip(topic, partition, from, to, reason);
  }

  /** Batches [first, end) make the next task: at least one, at most `taskBytes` bytes when more. */
  #endOfTask(batches: readonly RawBatch[], first: number): number {
    let bytes = 0;
    let end = first;
    for (let batch = batches[end]; batch !== undefined; batch = batches[end]) {
      if (end > first && bytes + batch.bytes.length > this.#parts.options.taskBytes) break;
      bytes += batch.bytes.length;
      end += 1;
    }
    return end;
  }

  #takeResult(entry: Entry, result: TransformResult): boolean {
    if (entry.epoch !== this.#ledger.epoch) return false;
    this.#resolve(entry, { kind: 'transformed', result });
    return true;
  }

  #resolve(entry: Entry, result: EntryResult): void {
    for (const ready of this.#ledger.resolve(entry, result)) this.#hand(ready);
    if (this.#ledger.size > 0) return;
    this.#drained?.();
    // A backlog that was caught up is made durable and committed at once, not at the next interval.
    if (this.#lag.unread() === 0 && this.#backlog.caughtUp()) this.#parts.writer.checkpoint();
  }

  /** Hands an entry to the writer, in its partition's order. */
  #hand({ topic, partition, firstOffset, nextOffset, result }: Entry): void {
    invariant(result !== undefined, 'only resolved entries leave the ledger');
    const { writer, observer } = this.#parts;
    if (result.kind === 'jump') {
      this.#jump(topic, partition, { from: firstOffset, to: nextOffset, reason: result.reason });
      return;
    }
    this.#parts.acknowledgements.handed({ topic, partition, nextOffset });
    if (result.kind === 'empty') {
      this.#durability.handed(NO_TIMESTAMPS);
      const unit = { topic, partition, firstOffset, nextOffset, output: null, regions: [] };
      writer.append({ ...unit, facts: NO_FACTS, counts: NO_COUNTS });
      return;
    }
    const { output, regions, facts, counts, kafkaTimestamps } = result.result;
    this.#durability.handed(kafkaTimestamps);
    observer.unitHanded(counts);
    writer.append({ topic, partition, firstOffset, nextOffset, output, regions, facts, counts });
  }
}

function sumBytes(batches: readonly RawBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
}

function lastOf(batches: readonly RawBatch[]): RawBatch {
  const last = batches.at(-1);
  invariant(last !== undefined, 'a task holds at least one batch');
  return last;
}
