/**
 * The ingest loop, the only place where consuming, transforming and writing meet:
 *
 *   delivery -> queue (bounded) -> pool -> ledger (order) -> writer -> checkpoint -> commit
 *
 * Owns: the ledger, the queue and the circulating buffers. Runs on the main thread and never touches
 * the bytes of a record except for copying whole batches.
 *
 * Invariants
 * - A delivery is taken only at the offset where the ledger stands, and copied before it is resolved.
 * - Everything carries the epoch of its assignment; what belongs to an older one is dropped where it
 *   would take effect: at the queue, at the ledger.
 * - Work in flight is bounded by the queue and by the number of output buffers.
 */
import type { Committer } from '../consume/committer.ts';
import { Ledger, type LedgerEntry } from '../consume/ledger.ts';
import type { RawBatch } from '../consume/raw-batch.ts';
import type { Delivery } from '../consume/source.ts';
import { checkAgainstLog, type PositionPolicy } from '../consume/start-position.ts';
import type { Clock } from '../core/clock.ts';
import { ServiceError } from '../core/errors.ts';
import { invariant } from '../core/invariant.ts';
import {
  BACKPRESSURE_SLICE_MS,
  MAX_POOLED_BUFFER_BYTES,
  OUTPUT_BUFFER_BYTES,
  SPARE_OUTPUT_BUFFERS,
} from '../core/limits.ts';
import type { TransformResult, TransformTask, WriterEvent } from '../core/messages.ts';
import { partitionKey, type TopicPartition } from '../core/offsets.ts';
import { NO_FACTS } from '../storage/facts.ts';
import type { WriterClient } from '../write/writer-client.ts';
import { BufferStock } from './buffer-stock.ts';
import { DurabilityTracker } from './durability-tracker.ts';
import { LagTracker } from './lag-tracker.ts';
import type { IngestObserver } from './observer.ts';
import { type EntryResult, type QueuedTask, TaskQueue } from './task-queue.ts';

export interface IngestOptions {
  readonly taskBytes: number;
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
  readonly committer: Committer;
  readonly observer: IngestObserver;
  readonly clock: Clock;
  readonly seek: (topic: string, partition: number, offset: number) => void;
  /** Called once, for a failure that the loop cannot go on from. */
  readonly onFailure: (error: unknown) => void;
}

/** Less than this waiting in Kafka is not a backlog: one fetch brings it. */
const BACKLOG_RECORDS = 10_000;

/** After a burst, ingestion has the workers to itself for this long. */
const QUIET_AFTER_MS = 2000;

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
  readonly #queue: TaskQueue;
  readonly #inputs: BufferStock;
  readonly #outputs: BufferStock;
  readonly #durability = new DurabilityTracker();
  readonly #lag: LagTracker;
  /** Start positions of partitions that were not held before, by partition key. */
  readonly #positions: Map<string, number>;
  /** How far our files go, by partition key, also for partitions that are somebody else's now. */
  readonly #reached: Map<string, number>;
  /** Offsets, by partition key, in whose place Kafka sent something else once. */
  readonly #doubted = new Map<string, number>();
  #busyAtMs: number;
  #hasBacklog = false;
  #outputsLeft: number;
  #inFlight = 0;
  #accepting = true;
  #drained: (() => void) | undefined;

  /**
   * @param positions where to start, by partition key
   * @param filed which of these partitions our files know already
   */
  constructor(
    parts: IngestParts,
    positions: ReadonlyMap<string, number>,
    filed: ReadonlySet<string> = new Set(),
  ) {
    this.#parts = parts;
    this.#positions = new Map(positions);
    this.#reached = new Map([...positions].filter(([key]) => filed.has(key)));
    const { options } = parts;
    this.#queue = new TaskQueue(options.queueItems, options.queueBytes);
    this.#inputs = new BufferStock(options.taskBytes, options.taskBytes);
    this.#outputs = new BufferStock(OUTPUT_BUFFER_BYTES, MAX_POOLED_BUFFER_BYTES);
    this.#outputsLeft = options.tasksInFlight + SPARE_OUTPUT_BUFFERS;
    this.#lag = new LagTracker(parts.observer);
    this.#busyAtMs = parts.clock.monotonic();
  }

  /** Tells where a partition's log ended when the service started. */
  setLogEnd(topic: string, partition: number, latest: number): void {
    this.#lag.logEnd(topic, partition, latest);
  }

  /** Whether for some time no task has waited for a free worker, and little in Kafka to be fetched. */
  isQuiet(): boolean {
    const now = this.#parts.clock.monotonic();
    if (this.#queue.size > 0 || this.#lag.unread() >= BACKLOG_RECORDS) this.#busyAtMs = now;
    return now - this.#busyAtMs >= QUIET_AFTER_MS;
  }

  /** A new assignment: raises the epoch and drops what is not handed to the writer yet. */
  assign(assigned: readonly TopicPartition[]): Map<TopicPartition, number> {
    const known = this.#ledger.begin(assigned, this.#positions);
    // From here on the group's offsets are the truth for partitions that come back later.
    this.#positions.clear();
    this.#doubted.clear();
    this.#dropQueue();
    this.#lag.begin(
      assigned,
      assigned.flatMap((assignment) => {
        const nextOffset = known.get(partitionKey(assignment.topic, assignment.partition));
        return nextOffset === undefined ? [] : [{ ...assignment, nextOffset }];
      }),
    );
    const tenures = new Map(
      assigned.map(({ topic, partition }) => {
        const key = partitionKey(topic, partition);
        return [key, known.get(key)] as const;
      }),
    );
    this.#parts.committer.beginEpoch(this.#ledger.epoch, tenures);
    this.#parts.observer.assigned(this.#ledger.epoch, assigned);
    const seeks = new Map<TopicPartition, number>();
    for (const assignment of assigned) {
      const offset = known.get(partitionKey(assignment.topic, assignment.partition));
      if (offset !== undefined) seeks.set(assignment, offset);
    }
    this.#drained?.();
    return seeks;
  }

  /** Takes a delivery into the queue, waiting while that is full. Rejects only with Kafka's errors. */
  async deliver(delivery: Delivery): Promise<void> {
    if (!this.#accepting || !this.#reconcile(delivery)) return;
    const epoch = this.#ledger.epoch;
    this.#lag.delivered(delivery);
    if (this.#lag.unread() >= BACKLOG_RECORDS) this.#hasBacklog = true;
    let first = 0;
    while (first < delivery.batches.length) {
      const end = this.#endOfTask(delivery.batches, first);
      const batches = delivery.batches.slice(first, end);
      const bytes = sumBytes(batches);
      while (!this.#queue.hasRoom(bytes)) {
        await this.#queue.waitForRoom(BACKPRESSURE_SLICE_MS);
        await delivery.heartbeat();
        if (this.#ledger.epoch !== epoch || !this.#accepting) return;
      }
      const last = end === delivery.batches.length;
      const nextOffset = last ? delivery.nextOffset : lastOf(batches).lastOffset + 1;
      if (!this.#enqueue(delivery, batches, bytes, nextOffset)) return;
      first = end;
    }
  }

  /** Moves past offsets that hold no data record. */
  skip(topic: string, partition: number, fetchedOffset: number, nextOffset: number): void {
    const taken = this.#ledger.takenOffset(topic, partition);
    if (!this.#accepting || !this.#ledger.holds(topic, partition)) return;
    if (taken !== undefined && nextOffset <= taken) return;
    if (taken === undefined) this.#ledger.start(topic, partition, fetchedOffset);
    const entry = this.#ledger.take(topic, partition, nextOffset);
    this.#resolve(entry, { kind: 'empty' });
  }

  /** Takes nothing more, and resolves when everything taken was handed to the writer. */
  async drain(): Promise<void> {
    this.#accepting = false;
    this.#queue.wake();
    if (this.#ledger.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }

  /** Handles what the writer reports of buffers and checkpoints. */
  onWriterEvent(event: Extract<WriterEvent, { kind: 'released' | 'checkpointed' }>): void {
    if (event.kind === 'released') {
      for (const output of event.outputs) this.#giveOutput(output);
      this.#dispatch();
      return;
    }
    const { observer, committer, clock } = this.#parts;
    this.#durability.durable(event.durableUnits, clock.now(), (ms, records) => observer.latency(ms, records));
    observer.checkpointDurable(event.sequence, event.durationMs, event.fileBytes);
    this.#lag.durable(event.positions);
    committer.commit(event.sequence, event.positions);
  }

  /**
   * Compares what came with what was expected. A fetch that was under way during a rebalance or a seek can
   * bring anything, so a position counts as lost only when asking for it again leads elsewhere again.
   * @returns false when the delivery must not be used
   */
  #reconcile(delivery: Delivery): boolean {
    const { topic, partition, fetchedOffset } = delivery;
    if (!this.#ledger.holds(topic, partition)) return false;
    const key = partitionKey(topic, partition);
    const expected = this.#ledger.takenOffset(topic, partition) ?? this.#takeUp(delivery);
    if (fetchedOffset === expected) return true;
    const insideLog = fetchedOffset < expected && delivery.highWatermark >= expected;
    if (insideLog || this.#doubted.get(key) !== expected) {
      if (!insideLog) this.#doubted.set(key, expected);
      this.#parts.seek(topic, partition, expected);
      return false;
    }
    return this.#acceptJump(delivery, expected);
  }

  /**
   * A partition that comes from another member begins at the group's offset, where the delivery stands.
   * What lies between our own files and there is in the files of whoever committed it.
   * @returns the offset that is expected now
   */
  #takeUp({ topic, partition, fetchedOffset }: Delivery): number {
    const own = this.#reached.get(partitionKey(topic, partition)) ?? fetchedOffset;
    this.#ledger.start(topic, partition, own);
    if (own >= fetchedOffset) return own;
    const entry = this.#ledger.take(topic, partition, fetchedOffset);
    this.#resolve(entry, { kind: 'jump', reason: 'taken_from_group' });
    return fetchedOffset;
  }

  /**
   * Kafka sent us somewhere else, because our position is no longer in the log.
   * @returns false when the configuration does not allow to go on from there
   */
  #acceptJump(delivery: Delivery, expected: number): boolean {
    const { topic, partition, fetchedOffset, highWatermark } = delivery;
    const decision = checkAgainstLog(expected, fetchedOffset, highWatermark, this.#parts.options.policy);
    invariant(decision !== undefined && decision.kind !== 'start', 'a jump is decided as a jump or refused');
    if (decision.kind === 'refuse') {
      this.#parts.onFailure(refusal(topic, partition, decision));
      return false;
    }
    const entry = this.#ledger.take(topic, partition, fetchedOffset);
    this.#resolve(entry, { kind: 'jump', reason: decision.reason });
    return true;
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

  /** Copies the batches, since a slice of the fetch response would keep all of it in memory. */
  #enqueue(
    delivery: Delivery,
    batches: readonly RawBatch[],
    inputBytes: number,
    nextOffset: number,
  ): boolean {
    if (!delivery.resolve(nextOffset)) return false;
    const input = this.#inputs.take(inputBytes);
    const target = new Uint8Array(input);
    let length = 0;
    for (const { bytes } of batches) {
      target.set(bytes, length);
      length += bytes.length;
    }
    const entry = this.#ledger.take(delivery.topic, delivery.partition, nextOffset);
    invariant(this.#queue.push({ entry, input, inputBytes }), 'the queue had room a moment ago');
    this.#dispatch();
    return true;
  }

  #dispatch(): void {
    while (this.#inFlight < this.#parts.options.tasksInFlight && this.#outputsLeft > 0) {
      const task = this.#queue.shift();
      if (task === undefined) break;
      this.#inFlight += 1;
      this.#outputsLeft -= 1;
      this.#run(task).catch((error: unknown) => this.#parts.onFailure(error));
    }
    this.#parts.observer.queueChanged(this.#queue.size, this.#queue.bytes);
  }

  async #run({ entry, input, inputBytes }: QueuedTask): Promise<void> {
    const { topic, partition, firstOffset } = entry;
    const output = this.#outputs.take(OUTPUT_BUFFER_BYTES);
    const result = await this.#parts.transform({ topic, partition, firstOffset, input, inputBytes, output });
    this.#inFlight -= 1;
    this.#inputs.give(result.input);
    if (entry.epoch === this.#ledger.epoch) this.#resolve(entry, { kind: 'transformed', result });
    else this.#giveOutput(result.output);
    this.#dispatch();
  }

  #resolve(entry: Entry, result: EntryResult): void {
    for (const ready of this.#ledger.resolve(entry, result)) this.#hand(ready);
    if (this.#ledger.size > 0) return;
    this.#drained?.();
    if (this.#hasBacklog && this.#lag.unread() === 0) this.#caughtUp();
  }

  /** A backlog that was caught up is made durable and committed at once, not at the next interval. */
  #caughtUp(): void {
    this.#hasBacklog = false;
    this.#parts.writer.checkpoint();
  }

  /** Hands an entry to the writer, in its partition's order. */
  #hand({ topic, partition, firstOffset, nextOffset, result }: Entry): void {
    invariant(result !== undefined, 'only resolved entries leave the ledger');
    this.#reached.set(partitionKey(topic, partition), nextOffset);
    const { writer, observer } = this.#parts;
    if (result.kind === 'jump') {
      observer.positionJumped(topic, partition, firstOffset, nextOffset, result.reason);
      writer.skip(topic, partition, firstOffset, nextOffset, result.reason);
      return;
    }
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

  #dropQueue(): void {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      this.#inputs.give(task.input);
    }
    this.#parts.observer.queueChanged(0, 0);
    this.#queue.wake();
  }

  #giveOutput(output: ArrayBuffer): void {
    this.#outputsLeft += 1;
    this.#outputs.give(output);
  }
}

/** The sentence for a position that the configuration does not allow to jump from. */
export function refusal(
  topic: string,
  partition: number,
  decision: { readonly problem: string; readonly setting: string },
): ServiceError {
  return new ServiceError(
    'POSITION_IMPOSSIBLE',
    `Cannot continue ${topic}/${partition}: ${decision.problem}; decide with ${decision.setting}.`,
    { topic, partition },
  );
}

function sumBytes(batches: readonly RawBatch[]): number {
  return batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
}

function lastOf(batches: readonly RawBatch[]): RawBatch {
  const last = batches.at(-1);
  invariant(last !== undefined, 'a task holds at least one batch');
  return last;
}
