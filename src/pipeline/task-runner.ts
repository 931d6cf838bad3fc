/**
 * Runs transform tasks: a bounded queue before the pool, and the memory that circulates through it.
 *
 * Owns the queue and the buffers. What is in work is bounded by `tasksInFlight`, by the number of output
 * buffers and by their bytes: while the writer keeps them all, or a few that have grown large, nothing is
 * started.
 */
import type { LedgerEntry } from '../consume/ledger.ts';
import type { RawBatch } from '../consume/raw-batch.ts';
import { invariant } from '../core/invariant.ts';
import { MAX_POOLED_BUFFER_BYTES, SPARE_OUTPUT_BUFFERS } from '../core/limits.ts';
import type { TransformResult, TransformTask } from '../core/messages.ts';
import { BufferStock } from './buffer-stock.ts';
import { type EntryResult, type QueuedTask, TaskQueue } from './task-queue.ts';

type Entry = LedgerEntry<EntryResult>;

export interface TaskRunnerParts {
  readonly taskBytes: number;
  /** First size of an output buffer. */
  readonly outputBytes: number;
  readonly queueBytes: number;
  readonly queueItems: number;
  readonly tasksInFlight: number;
  readonly transform: (task: TransformTask) => Promise<TransformResult>;
  /** @returns false when nobody wants the result any more, so that its memory is free again */
  readonly onResult: (entry: Entry, result: TransformResult) => boolean;
  readonly onQueueChanged: (items: number, bytes: number) => void;
  readonly onFailure: (error: unknown) => void;
}

export class TaskRunner {
  readonly #parts: TaskRunnerParts;
  readonly #queue: TaskQueue;
  readonly #inputs: BufferStock;
  readonly #outputs: BufferStock;
  #outputsLeft: number;
  /** Bytes of results that were not given back yet. */
  #heldBytes = 0;
  readonly #maxHeldBytes: number;
  #inFlight = 0;

  constructor(parts: TaskRunnerParts) {
    this.#parts = parts;
    this.#queue = new TaskQueue(parts.queueItems, parts.queueBytes);
    this.#inputs = new BufferStock(parts.taskBytes, parts.taskBytes);
    this.#outputs = new BufferStock(parts.outputBytes, MAX_POOLED_BUFFER_BYTES);
    this.#outputsLeft = parts.tasksInFlight + SPARE_OUTPUT_BUFFERS;
    this.#maxHeldBytes = this.#outputsLeft * MAX_POOLED_BUFFER_BYTES;
  }

  /** Whether more tasks wait than the pool works on; some wait for a moment at any load. */
  get isBehind(): boolean {
    return this.#queue.size > this.#parts.tasksInFlight;
  }

  hasRoom(bytes: number): boolean {
    return this.#queue.hasRoom(this.#blockBytes(bytes));
  }

  /** Resolves when there may be room again, at the latest after `sliceMs`. */
  waitForRoom(sliceMs: number): Promise<void> {
    return this.#queue.waitForRoom(sliceMs);
  }

  /** Lets everybody who waits for room look again. */
  wake(): void {
    this.#queue.wake();
  }

  /** Copies the batches, since a slice of the fetch response would keep all of it in memory. */
  add(entry: Entry, batches: readonly RawBatch[], inputBytes: number): void {
    const input = this.#inputs.take(inputBytes);
    const target = new Uint8Array(input);
    let length = 0;
    for (const { bytes } of batches) {
      target.set(bytes, length);
      length += bytes.length;
    }
    const isQueued = this.#queue.push({ entry, input, inputBytes }, this.#blockBytes(inputBytes));
    invariant(isQueued, 'the queue had room a moment ago');
    this.#dispatch();
  }

  /** Forgets what waits in the queue; what is in work comes back and is refused by `onResult`. */
  drop(): void {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      this.#inputs.give(task.input);
    }
    this.#parts.onQueueChanged(0, 0);
    this.#queue.wake();
  }

  /** Takes output buffers back from the writer. */
  release(outputs: readonly ArrayBuffer[]): void {
    for (const output of outputs) this.#giveBack(output);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#mayStart()) {
      const task = this.#queue.shift();
      if (task === undefined) break;
      this.#inFlight += 1;
      this.#outputsLeft -= 1;
      this.#run(task).catch((error: unknown) => this.#parts.onFailure(error));
    }
    this.#parts.onQueueChanged(this.#queue.size, this.#queue.bytes);
  }

  async #run({ entry, input, inputBytes }: QueuedTask): Promise<void> {
    const { topic, partition, firstOffset } = entry;
    const output = this.#outputs.take(this.#parts.outputBytes);
    const result = await this.#parts.transform({ topic, partition, firstOffset, input, inputBytes, output });
    this.#inFlight -= 1;
    this.#heldBytes += result.output.byteLength;
    this.#inputs.give(result.input);
    if (!this.#parts.onResult(entry, result)) this.#giveBack(result.output);
    this.#dispatch();
  }

  /** A small task occupies a whole block of memory, so that is what the queue counts. */
  #blockBytes(inputBytes: number): number {
    return Math.max(inputBytes, this.#parts.taskBytes);
  }

  #mayStart(): boolean {
    return (
      this.#inFlight < this.#parts.tasksInFlight &&
      this.#outputsLeft > 0 &&
      this.#heldBytes < this.#maxHeldBytes
    );
  }

  #giveBack(output: ArrayBuffer): void {
    this.#heldBytes -= output.byteLength;
    this.#outputsLeft += 1;
    this.#outputs.give(output);
  }
}
