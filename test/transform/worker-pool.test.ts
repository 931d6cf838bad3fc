import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceError } from '../../src/core/errors.ts';
import { WorkerPool } from '../../src/transform/worker-pool.ts';

const FILE = new URL('../helpers/worker-pool-tasks.ts', import.meta.url);

async function withPool(
  test: (pool: WorkerPool, died: Promise<ServiceError>) => Promise<void>,
  options: { workers?: number; maxTasks?: number; file?: URL } = {},
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<ServiceError>();
  const pool = new WorkerPool(
    {
      file: FILE,
      workerData: { answer: 42 },
      workers: 1,
      maxTasks: 8,
      youngGenerationMiB: 16,
      oldGenerationMiB: 32,
      ...options,
    },
    resolve,
  );
  try {
    await test(pool, promise);
  } finally {
    await pool.close();
  }
}

describe('a worker pool', () => {
  it('moves buffers to the thread and back', async () => {
    await withPool(async (pool) => {
      const first = new ArrayBuffer(1_000);
      const second = new ArrayBuffer(50_000);
      new Uint8Array(first)[0] = 6;
      const running = pool.run<unknown, { first: ArrayBuffer; second: ArrayBuffer }>(
        'touch',
        { first, second },
        [first, second],
      );
      const result = await running;
      assert(first.detached && second.detached, 'the memory is gone here');
      assert.equal(new Uint8Array(result.first)[0], 7);
      assert.equal(result.second.byteLength, 50_000);
      assert(!result.first.detached && !result.second.detached);
      await assert.rejects(pool.run('touch', { first, second }, [first, second]), /not given again/);
    });
  });

  it('gives its threads their data', async () => {
    await withPool(async (pool) => assert.deepEqual(await pool.run('readWorkerData', 0, []), { answer: 42 }));
  });

  it('rejects with the error of the task, code and details included', async () => {
    await withPool(async (pool) => {
      await assert.rejects(pool.run('failWithCode', 0, []), {
        name: 'ServiceError',
        code: 'FILE_CORRUPT',
        message: 'The file is broken.',
        details: { line: 7 },
      });
      assert.equal(await pool.run('spin', 0, []), 0);
    });
  });

  it('rejects with TRANSFORM_FAILED on a bug, and says where it was', async () => {
    await withPool(async (pool) => {
      await assert.rejects(pool.run('failWithBug', 0, []), (error: ServiceError) => {
        assert.equal(error.code, 'TRANSFORM_FAILED');
        assert.match(error.message, /x is not a function/);
        assert.match(String(error.details['stack']), /worker-pool-tasks/);
        return true;
      });
    });
  });

  for (const [how, task] of [
    ['exits', 'exit'],
    ['runs out of memory', 'exhaustMemory'],
  ] as const) {
    it(`rejects every task when a thread ${how}`, { timeout: 30_000 }, async () => {
      await withPool(async (pool, died) => {
        const all = [task, 'spin', 'spin', 'spin', 'spin'].map((name) => pool.run(name, 1, []));
        const outcomes = await Promise.allSettled(all);
        for (const outcome of outcomes) {
          assert(outcome.status === 'rejected');
          assert.equal(outcome.reason.code, 'WORKER_DIED');
        }
        assert.equal((await died).code, 'WORKER_DIED');
        await assert.rejects(pool.run('spin', 1, []), { code: 'WORKER_DIED' });
        assert.equal(pool.tasks, 0);
      });
    });
  }

  it('tells when a thread dies that has nothing to do', { timeout: 30_000 }, async () => {
    await withPool(async (pool, died) => {
      await pool.run('dieLater', 0, []);
      assert.match((await died).message, /died while idle/);
    });
  });

  it('tells when its file cannot be loaded', { timeout: 30_000 }, async () => {
    const file = new URL('./no-such-file.ts', import.meta.url);
    await withPool(
      async (pool, died) => {
        await assert.rejects(pool.run('spin', 1, []), { code: 'WORKER_DIED' });
        assert.equal((await died).code, 'WORKER_DIED');
      },
      { file },
    );
  });

  it('uses all of its threads', async () => {
    await withPool(
      async (pool) => {
        await Promise.all([pool.run('spin', 1, []), pool.run('spin', 1, [])]);
        const startedAt = performance.now();
        await Promise.all([pool.run('spin', 300, []), pool.run('spin', 300, [])]);
        assert(performance.now() - startedAt < 590);
      },
      { workers: 2 },
    );
  });

  it('takes no more tasks than its limit', async () => {
    await withPool(
      async (pool) => {
        const tasks = [pool.run('spin', 20, []), pool.run('spin', 20, [])];
        await assert.rejects(pool.run('spin', 20, []), /keeps to its limit/);
        await Promise.all(tasks);
        assert.equal(pool.tasks, 0);
      },
      { maxTasks: 2 },
    );
  });

  it('finishes its tasks before it closes', async () => {
    await withPool(async (pool) => {
      const tasks = [pool.run('spin', 30, []), pool.run('spin', 30, []), pool.run('spin', 30, [])];
      await pool.close();
      assert.deepEqual(await Promise.all(tasks), [30, 30, 30]);
    });
  });
});
