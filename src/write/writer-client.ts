/** The main thread's end of the writer thread. */
import { Worker } from 'node:worker_threads';
import { deserialiseError, messageOf, ServiceError } from '../core/errors.ts';
import { WRITER_OLD_GENERATION_MIB, WRITER_YOUNG_GENERATION_MIB } from '../core/limits.ts';
import type { WriterEvent, WriterOptions, WriterRequest, WriteUnit } from '../core/messages.ts';
import type { PartitionRange } from '../core/offsets.ts';
import { workerFile } from '../core/worker-file.ts';

export interface WriterClient {
  /** Hands a unit over; its buffer comes back with a `released` event. */
  append(unit: WriteUnit): void;
  skip(topic: string, partition: number, from: number, to: number, reason: string): void;
  /** Checkpoints now instead of at the next interval. */
  checkpoint(): void;
  /** Kafka has taken the offsets of this checkpoint. @param uncertain what nobody could tell of */
  acknowledge(sequence: number, uncertain?: readonly PartitionRange[]): void;
  /** Cuts the files back to the last acknowledged checkpoint; `rolled_back` follows. */
  rollBack(): void;
  /** Flushes, checkpoints and ends the thread; `stopped` follows the last `checkpointed`. */
  stop(): void;
  /** Ends the thread at once, for a process that is going down anyway. */
  terminate(): Promise<number>;
}

/**
 * Starts the writer thread.
 * @param onEvent every event of the thread, `failed` also when it dies without a word
 */
export function startWriter(options: WriterOptions, onEvent: (event: WriterEvent) => void): WriterClient {
  const worker = new Worker(workerFile(import.meta.url, 'writer'), {
    workerData: options,
    resourceLimits: {
      maxYoungGenerationSizeMb: WRITER_YOUNG_GENERATION_MIB,
      maxOldGenerationSizeMb: WRITER_OLD_GENERATION_MIB,
    },
  });
  let ended = false;
  const fail = (error: ServiceError): void => {
    if (ended) return;
    ended = true;
    onEvent({ kind: 'failed', error: error.serialise() });
  };
  worker.on('message', (event: WriterEvent) => {
    if (event.kind === 'failed') return fail(deserialiseError(event.error));
    if (event.kind === 'stopped') ended = true;
    onEvent(event);
  });
  worker.on('error', (error) =>
    fail(new ServiceError('WORKER_DIED', `The writer thread died (${messageOf(error)}).`)),
  );
  worker.on('exit', (code) =>
    fail(new ServiceError('WORKER_DIED', `The writer thread ended with code ${code}.`)),
  );
  const send = (request: WriterRequest, transfer: readonly ArrayBuffer[] = []): void =>
    worker.postMessage(request, transfer);
  return {
    append: (unit) => send({ kind: 'append', unit }, unit.output === null ? [] : [unit.output]),
    skip: (topic, partition, from, to, reason) => send({ kind: 'skip', topic, partition, from, to, reason }),
    checkpoint: () => send({ kind: 'checkpoint' }),
    acknowledge: (sequence, uncertain = []) => send({ kind: 'acknowledged', sequence, uncertain }),
    rollBack: () => send({ kind: 'roll_back' }),
    stop: () => send({ kind: 'stop' }),
    terminate: () => worker.terminate(),
  };
}
