/**
 * The transform pool by itself: records per second, CPU per record and resident memory, with tasks of
 * about 64 KiB of LZ4 that circulate as in the service. Run it with
 * `node load-tests/micro/transform-pool.ts [workers] [seconds]`.
 */
import { DEFAULT_CATEGORY_RULES } from '../../src/core/category-rules.ts';
import { createTransformPool, type TransformPool } from '../../src/transform/pool.ts';
import { buildRecordBatch } from '../../test/helpers/record-batch-builder.ts';

const RECORD_BYTES = 256;
const TASK_BYTES = 64 * 1024;
const TASKS_IN_FLIGHT = 8;

const workers = Number(process.argv[2] ?? 2);
const seconds = Number(process.argv[3] ?? 8);

function logLine(index: number): string {
  const line =
    `{"timestamp":"2026-11-23T09:00:${String(index % 60).padStart(2, '0')}.${String(index % 1000).padStart(3, '0')}Z",` +
    `"service":"service-${index % 20}","level":"INFO","message":"request ${index} handled",` +
    `"duration_ms":${index % 977},"path":"/api/v1/orders/${(index * 7_919) % 100_003}","pad":"`;
  return `${line.padEnd(RECORD_BYTES - 2, 'x')}"}`;
}

function buildInput(recordsPerBatch: number): { bytes: Buffer; records: number } {
  const batches: Buffer[] = [];
  let length = 0;
  let offset = 0;
  for (; length < TASK_BYTES; offset += recordsPerBatch) {
    const base = offset;
    const records = Array.from({ length: recordsPerBatch }, (_, index) => ({ value: logLine(base + index) }));
    const batch = buildRecordBatch({ records, baseOffset: base, codec: 'lz4' });
    batches.push(batch);
    length += batch.length;
  }
  return { bytes: Buffer.concat(batches), records: offset };
}

/** Keeps one task in flight, over and over with the same memory; returns the records it did. */
async function circulate(pool: TransformPool, unit: { bytes: Buffer; records: number }, until: number) {
  let input = new ArrayBuffer(unit.bytes.length);
  let output = new ArrayBuffer(512 * 1024);
  let records = 0;
  while (performance.now() < until) {
    new Uint8Array(input).set(unit.bytes);
    const task = {
      topic: 'logs',
      partition: 0,
      firstOffset: 0,
      input,
      inputBytes: unit.bytes.length,
      output,
    };
    const result = await pool.run(task);
    ({ input, output } = result);
    records += result.counts.written;
  }
  return records;
}

async function measure(recordsPerBatch: number): Promise<void> {
  const unit = {
    minLevel: 'TRACE',
    maxRecordBytes: 1_000_000,
    maxDepth: 64,
    maxDecompressedBytes: 16 * 1024 * 1024,
    categories: DEFAULT_CATEGORY_RULES,
  } as const;
  const pool = createTransformPool({ workers, maxTasks: TASKS_IN_FLIGHT * 2, unit }, (error) => {
    throw error;
  });
  const input = buildInput(recordsPerBatch);
  const inFlight = Array.from({ length: TASKS_IN_FLIGHT });
  await Promise.all(inFlight.map(() => circulate(pool, input, performance.now() + 2_000)));
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const done = await Promise.all(inFlight.map(() => circulate(pool, input, startedAt + seconds * 1_000)));
  const records = done.reduce((sum, count) => sum + count, 0);
  const { user, system } = process.cpuUsage(cpuBefore);
  const memory = process.memoryUsage();
  console.log(
    JSON.stringify({
      recordsPerBatch,
      recordsPerTask: input.records,
      recordsPerSecond: Math.round((records * 1_000) / (performance.now() - startedAt)),
      cpuMicrosecondsPerRecord: Number(((user + system) / records).toFixed(3)),
      residentMiB: Math.round(memory.rss / 2 ** 20),
    }),
  );
  await pool.close();
}

await measure(60);
await measure(1_000);
