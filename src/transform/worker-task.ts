/** The worker's side of `WorkerPool`: makes a function an export that a pool can run. */
import { messageOf, type SerialisedError, ServiceError } from '../core/errors.ts';
import { moving } from './moving.ts';

/** What comes back for a task. An Error would lose its class and its code on the way. */
export type WorkerAnswer<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: SerialisedError };

/**
 * Wraps `run` for a pool.
 * @param buffersOf the memory in a result that moves to the main thread and is gone here
 */
export function workerTask<Task, Result>(
  run: (task: Task) => Result,
  buffersOf: (result: Result) => ArrayBuffer[],
): (task: Task) => unknown {
  return (task) => {
    try {
      const result = run(task);
      const answer: WorkerAnswer<Result> = { kind: 'done', result };
      return moving(answer, buffersOf(result));
    } catch (thrown) {
      const answer: WorkerAnswer<Result> = { kind: 'failed', error: serialise(thrown) };
      return moving(answer, []);
    }
  };
}

function serialise(thrown: unknown): SerialisedError {
  if (thrown instanceof ServiceError) return thrown.serialise();
  const stack = thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : null;
  return { code: 'TRANSFORM_FAILED', message: `A worker failed: ${messageOf(thrown)}`, details: { stack } };
}
