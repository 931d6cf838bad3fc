/** Tasks for the tests of WorkerPool. */
import { workerData } from 'node:worker_threads';
import { ServiceError } from '../../src/core/errors.ts';
import { workerTask } from '../../src/transform/worker-task.ts';

interface Buffers {
  readonly first: ArrayBuffer;
  readonly second: ArrayBuffer;
}

const none = () => [];

/** Adds one to the first byte of the first buffer, and returns both. */
export const touch = workerTask(
  ({ first, second }: Buffers) => {
    const bytes = new Uint8Array(first);
    bytes[0] = (bytes[0] ?? 0) + 1;
    return { first, second };
  },
  ({ first, second }) => [first, second],
);

export const readWorkerData = workerTask(() => workerData, none);

export const failWithCode = workerTask(() => {
  throw new ServiceError('FILE_CORRUPT', 'The file is broken.', { line: 7 });
}, none);

export const failWithBug = workerTask(() => {
  throw new TypeError('x is not a function');
}, none);

export const exit = workerTask(() => process.exit(3), none);

/** Fills the heap of the thread. */
export const exhaustMemory = workerTask(() => {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, (_, index) => ({ index })));
}, none);

export const dieLater = workerTask(() => {
  setTimeout(() => {
    throw new Error('died while idle');
  }, 10);
}, none);

/** Keeps the thread busy. */
export const spin = workerTask((ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
  return ms;
}, none);
