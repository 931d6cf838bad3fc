/**
 * How much memory the service can need: the sum of everything that its limits allow at the same time.
 * The reasons, and what was measured, are in docs/adr/0012-memory.md.
 */
import { MAX_KEPT_BATCH_BYTES, MAX_POOLED_BUFFER_BYTES, SPARE_OUTPUT_BUFFERS } from './limits.ts';

const MIB = 1024 * 1024;

/** The program itself: code, the main thread's heap, the writer thread, native libraries. Measured. */
const PROCESS_BYTES = 190 * MIB;

/** One transform thread before it is given a batch: its heap, which does not grow with records. Measured. */
const WORKER_BYTES = 40 * MIB;

/** An answer exists twice for a moment: as the pieces that the network brought, and joined. */
const COPIES_OF_ANSWER = 2;

/**
 * What one batch can become when it decompresses to the limit: the batch, its lines, and their copies in
 * the files of the categories.
 */
const COPIES_OF_BATCH = 3;

/** The settings that bound memory. */
export interface MemorySettings {
  /** As many as are configured; a cluster can have more. */
  readonly brokers: number;
  readonly maxBytes: number;
  readonly workers: number;
  readonly tasksInFlight: number;
  readonly taskBytes: number;
  readonly queueBytes: number;
  readonly maxDecompressedBytes: number;
  readonly sealBytes: number;
}

interface MemoryTerm {
  readonly what: string;
  readonly bytes: number;
  /** The setting that makes it smaller; null when none does. */
  readonly setting: string | null;
}

export interface MemoryBound {
  /** What ordinary records can fill, largest first. */
  readonly terms: readonly MemoryTerm[];
  /** The sum of the terms. */
  readonly bytes: number;
  /** The sum when every worker also has a batch that decompresses to the limit. */
  readonly hostileBytes: number;
}

/** Sums up all limits. */
export function memoryBound(settings: MemorySettings): MemoryBound {
  const { workers, tasksInFlight, taskBytes, maxDecompressedBytes } = settings;
  const keptBatchBytes = Math.min(maxDecompressedBytes, MAX_KEPT_BATCH_BYTES);
  const terms: MemoryTerm[] = [
    { what: 'the program', bytes: PROCESS_BYTES, setting: null },
    { what: 'workers', bytes: workers * (WORKER_BYTES + keptBatchBytes), setting: 'transform.workers' },
    {
      what: 'answers of brokers',
      bytes: settings.brokers * settings.maxBytes * COPIES_OF_ANSWER,
      setting: 'kafka.max_bytes',
    },
    { what: 'the queue', bytes: settings.queueBytes, setting: 'transform.queue_bytes' },
    { what: 'tasks in work', bytes: tasksInFlight * taskBytes, setting: 'transform.task_bytes' },
    {
      what: 'lines on their way to the files',
      bytes: (tasksInFlight + SPARE_OUTPUT_BUFFERS) * MAX_POOLED_BUFFER_BYTES,
      setting: 'transform.in_flight_per_worker',
    },
    { what: 'sealing', bytes: settings.sealBytes, setting: 'seal.memory_limit' },
  ];
  const bytes = terms.reduce((sum, term) => sum + term.bytes, 0);
  const hostileBytes = bytes + workers * (maxDecompressedBytes * COPIES_OF_BATCH - keptBatchBytes);
  return { terms: terms.toSorted((a, b) => b.bytes - a.bytes), bytes, hostileBytes };
}
