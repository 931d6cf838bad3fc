/**
 * The transform pool: threads that turn units of record batches into lines.
 *
 * Memory moves in a closed circle. `run` takes the task's input and output buffers from the caller and
 * gives them back in the result, the output perhaps larger; nothing is copied and nothing is shared.
 */
import type { ServiceError } from '../core/errors.ts';
import { WORKER_OLD_GENERATION_MIB, WORKER_YOUNG_GENERATION_MIB } from '../core/limits.ts';
import type { TransformResult, TransformTask } from '../core/messages.ts';
import { workerFile } from '../core/worker-file.ts';
import type { RecordOptions } from './record-transformer.ts';
import { WorkerPool } from './worker-pool.ts';

/** What each thread is started with. */
export interface UnitOptions extends RecordOptions {
  /** The most bytes that the records of one batch may decompress to. */
  readonly maxDecompressedBytes: number;
}

export interface TransformPoolOptions {
  readonly workers: number;
  /** Tasks of every kind, given to the threads and waiting for them. */
  readonly maxTasks: number;
  readonly unit: UnitOptions;
}

export interface TransformPool {
  /** Tasks of every kind that are not answered yet. */
  readonly tasks: number;
  /**
   * Transforms one unit. The task's buffers are gone for the caller; the result's are its own.
   * @throws ServiceError TRANSFORM_FAILED on a bug, WORKER_DIED when a thread is gone
   */
  run(task: TransformTask): Promise<TransformResult>;
  /** Ends the threads when their tasks are done. */
  close(): Promise<void>;
}

/** Starts the threads. @param onDied called once, when a thread dies; the pool is of no use then */
export function createTransformPool(
  options: TransformPoolOptions,
  onDied: (error: ServiceError) => void,
): TransformPool {
  const pool = new WorkerPool(
    {
      file: workerFile(import.meta.url, 'transform'),
      workerData: options.unit,
      workers: options.workers,
      maxTasks: options.maxTasks,
      youngGenerationMiB: WORKER_YOUNG_GENERATION_MIB,
      oldGenerationMiB: WORKER_OLD_GENERATION_MIB,
    },
    onDied,
  );
  return {
    get tasks() {
      return pool.tasks;
    },
    run: (task) => pool.run('transform', task, [task.input, task.output]),
    close: () => pool.close(),
  };
}
