import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_CATEGORY_RULES } from '../../src/core/category-rules.ts';
import type { TransformTask } from '../../src/core/messages.ts';
import { createTransformPool, type TransformPool } from '../../src/transform/pool.ts';
import { buildRecordBatch, CODEC_NAMES } from '../helpers/record-batch-builder.ts';

async function withPool(test: (pool: TransformPool) => Promise<void>): Promise<void> {
  const unit = {
    minLevel: 'INFO',
    maxRecordBytes: 1_000_000,
    maxDepth: 64,
    maxDecompressedBytes: 16 * 1024 * 1024,
    categories: DEFAULT_CATEGORY_RULES,
  } as const;
  const pool = createTransformPool({ workers: 1, maxTasks: 8, unit }, (error) => {
    throw error;
  });
  try {
    await test(pool);
  } finally {
    await pool.close();
  }
}

function taskOf(batch: Uint8Array): TransformTask {
  const input = new ArrayBuffer(batch.length);
  new Uint8Array(input).set(batch);
  const output = new ArrayBuffer(64 * 1024);
  return { topic: 'logs', partition: 0, firstOffset: 0, input, inputBytes: batch.length, output };
}

describe('the transform pool', () => {
  it('turns record batches of every codec into lines, and gives the memory back', async () => {
    await withPool(async (pool) => {
      const records = [
        {
          value: '{"service":"web","level":"error","message":"it failed","timestamp":"2026-11-23T09:00:00Z"}',
        },
        { value: '{"service":"web","level":"debug","message":"detail"}' },
        { value: 'not JSON' },
      ];
      for (const codec of CODEC_NAMES) {
        const task = taskOf(buildRecordBatch({ records, codec }));
        const { input, output, inputBytes } = task;
        const result = await pool.run(task);
        assert(input.detached && output.detached, 'the memory is gone here');
        assert.equal(result.input.byteLength, inputBytes);
        assert.equal(result.output.byteLength, 64 * 1024);
        assert.deepEqual(
          result.regions.map(({ file, records: count }) => [file, count]),
          [
            ['service_logs', 1],
            ['error_logs', 1],
            ['quarantine', 1],
          ],
        );
        assert.deepEqual(result.counts.quarantineReasons, { not_json: 1 });
        assert.equal(result.counts.filtered, 1);
        assert.deepEqual(result.facts.services, { web: 1 });
        const [lines] = result.regions;
        const line = JSON.parse(Buffer.from(result.output, lines?.start, lines?.end).toString());
        assert.equal(line.message, 'it failed');
      }
    });
  });
});
