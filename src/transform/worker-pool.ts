/**
 * A fixed number of threads that run the exports of one file, over piscina.
 *
 * Owns the threads. A thread that dies takes the pool with it: every task that was not answered rejects
 * with WORKER_DIED, and so does every later one, so nobody waits for an answer that cannot come and
 * nobody goes on with fewer threads than configured. Whoever runs the service ends it.
 *
 * The file's exports are made with `workerTask` (worker-task.ts), so a rejection by piscina itself
 * always means that the thread is gone or that the pool was used wrongly.
 */
import { Piscina } from 'piscina';
import { deserialiseError, messageOf, ServiceError } from '../core/errors.ts';
import { invariant } from '../core/invariant.ts';
import { moving } from './moving.ts';
import type { WorkerAnswer } from './worker-task.ts';

export interface WorkerPoolOptions {
  /** Its exports are the tasks. */
  readonly file: URL;
  /** What the file finds as `workerData` of `node:worker_threads`. */
  readonly workerData: unknown;
  readonly workers: number;
  /** Tasks given to the threads and waiting for them, together. */
  readonly maxTasks: number;
  /** Limits on the JavaScript heap of one thread, in MiB. */
  readonly youngGenerationMiB: number;
  readonly oldGenerationMiB: number;
}

/** A thread begins the next task while its answer to the last is on its way. */
const TASKS_PER_WORKER = 2;

export class WorkerPool {
  readonly #piscina: Piscina;
  readonly #maxTasks: number;
  readonly #onDied: (error: ServiceError) => void;
  #tasks = 0;
  #closed = false;
  #died: ServiceError | null = null;

  /** @param onDied called once, when a thread dies, whether it had a task or not */
  constructor(options: WorkerPoolOptions, onDied: (error: ServiceError) => void) {
    this.#maxTasks = options.maxTasks;
    this.#onDied = onDied;
    this.#piscina = new Piscina({
      filename: options.file.href,
      workerData: options.workerData,
      minThreads: options.workers,
      maxThreads: options.workers,
      maxQueue: options.maxTasks,
      concurrentTasksPerWorker: TASKS_PER_WORKER,
      // With atomics a busy thread never gets to its event loop, where native memory is given back.
      atomics: 'disabled',
      resourceLimits: {
        maxYoungGenerationSizeMb: options.youngGenerationMiB,
        maxOldGenerationSizeMb: options.oldGenerationMiB,
      },
    });
    this.#piscina.on('error', (error: unknown) => this.#end(error));
  }

  /** Tasks given to the threads and waiting for them. */
  get tasks(): number {
    return this.#tasks;
  }

  /**
   * Runs the export `name` with `task` on some thread.
   * @param transfer memory that moves to the thread and is gone here
   * @throws ServiceError what the task failed with, or WORKER_DIED
   */
  async run<Task, Result>(name: string, task: Task, transfer: readonly ArrayBuffer[]): Promise<Result> {
    invariant(!this.#closed, 'a closed pool gets no tasks');
    invariant(this.#tasks < this.#maxTasks, 'whoever gives tasks to the pool keeps to its limit');
    invariant(
      transfer.every((buffer) => !buffer.detached),
      'memory that moved is not given again',
    );
    if (this.#died !== null) throw this.#died;
    this.#tasks += 1;
    try {
      const answer: WorkerAnswer<Result> = await this.#piscina
        .run(moving(task, transfer), { name })
        .catch((thrown: unknown) => Promise.reject(this.#end(thrown)));
      if (answer.kind === 'failed') throw deserialiseError(answer.error);
      return answer.result;
    } finally {
      this.#tasks -= 1;
    }
  }

  /** Ends the threads when their tasks are done. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#died === null) await this.#piscina.close();
    else await this.#piscina.destroy();
  }

  #end(thrown: unknown): ServiceError {
    if (this.#died !== null) return this.#died;
    const error = new ServiceError(
      'WORKER_DIED',
      `A worker thread died (${messageOf(thrown)}): the service has to be started again.`,
      {},
      thrown,
    );
    this.#died = error;
    // Rejects what still waits in the queue.
    this.#piscina.destroy().then(
      () => this.#onDied(error),
      () => this.#onDied(error),
    );
    return error;
  }
}
