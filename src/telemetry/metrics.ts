/**
 * All metrics in one place. The first five names are fixed, because dashboards exist for them; the others
 * follow Prometheus naming under `log_consumer_`. Series whose labels are known exist from the start, so
 * that a rate sees the first event.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LOG_FILES } from '../core/files.ts';
import { QUARANTINE_REASONS } from '../core/quarantine.ts';
import { UPKEEP_JOBS } from '../core/upkeep-messages.ts';
import { upkeepMetrics } from './upkeep-metrics.ts';
import { WeightedHistogram } from './weighted-histogram.ts';

/** Milliseconds; dense where an alert on latency looks, wide enough to show an hour of lag. */
export const PROCESSING_LATENCY_BUCKETS: readonly number[] = [
  5, 10, 25, 50, 100, 150, 200, 250, 300, 400, 500, 750, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000,
  3_600_000,
];

const SYNC_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Reasons of `logs_dropped_total`: with `logs_processed_total` they account for every consumed record. */
const DROP_REASONS = ['below_min_level', ...QUARANTINE_REASONS] as const;

export const COMMIT_OUTCOMES = ['committed', 'fenced', 'failed'] as const;

/** What can be out of order for a while: the broker, the log files, sealing, the store of the backup. */
const CIRCUITS = ['broker', 'disk', 'seal', 'backup'] as const;

/** Values of `log_consumer_circuit_state`. */
export const CIRCUIT_VALUES = { closed: 0, half_open: 1, open: 2 } as const;

export interface BuildInfo {
  readonly version: string;
  /** "" when the instance has no id. */
  readonly instance: string;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** A registry of its own with every metric, process metrics included. */
export function createMetrics(build: BuildInfo) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = {
    registry,
    ...recordMetrics(registry),
    ...durabilityMetrics(registry),
    ...consumerMetrics(registry),
    ...upkeepMetrics(registry),
  };
  const buildInfo = new Gauge({
    name: 'log_consumer_build_info',
    help: 'Always 1; the version and the instance are in the labels.',
    labelNames: ['version', 'node', 'instance'],
    registers: [registry],
  });
  buildInfo.set({ version: build.version, node: process.version, instance: build.instance }, 1);
  for (const reason of DROP_REASONS) metrics.dropped.inc({ reason }, 0);
  for (const outcome of COMMIT_OUTCOMES) metrics.commits.inc({ outcome }, 0);
  for (const circuit of CIRCUITS) metrics.circuitState.set({ circuit }, CIRCUIT_VALUES.closed);
  for (const job of UPKEEP_JOBS) metrics.upkeepJobFailures.inc({ job }, 0);
  for (const file of LOG_FILES) metrics.rotations.inc({ file }, 0);
  return metrics;
}

function recordMetrics(registry: Registry) {
  const registers = [registry];
  const latency = new WeightedHistogram({
    name: 'processing_latency',
    help: 'Milliseconds from the Kafka timestamp of a record to its line being on stable storage.',
    buckets: PROCESSING_LATENCY_BUCKETS,
  });
  latency.registerIn(registry);
  return {
    latency,
    processed: new Counter({
      name: 'logs_processed_total',
      help: 'Records stored in service_logs.',
      registers,
    }),
    dropped: new Counter({
      name: 'logs_dropped_total',
      help: 'Records not stored in service_logs: below the minimum level, or quarantined for the reason.',
      labelNames: ['reason'],
      registers,
    }),
    missingTimestamps: new Counter({
      name: 'log_consumer_missing_timestamps_total',
      help: 'Records without a readable timestamp, stored with the one of Kafka.',
      registers,
    }),
    unknownLevels: new Counter({
      name: 'log_consumer_unknown_levels_total',
      help: 'Records without a known level, stored as INFO.',
      registers,
    }),
    lost: new Counter({
      name: 'log_consumer_records_lost_total',
      help: 'Offsets given up unread, as the configuration allows: an upper bound of the records lost.',
      labelNames: ['reason'],
      registers,
    }),
    rollBacks: new Counter({
      name: 'log_consumer_roll_backs_total',
      help: 'Times that the files were cut back while running, because their last records belong to another instance.',
      registers,
    }),
    uncertain: new Counter({
      name: 'log_consumer_uncertain_offsets_total',
      help: 'Offsets kept of which nobody could tell whether another instance holds them too.',
      registers,
    }),
    positionJumps: new Counter({
      name: 'log_consumer_position_jumps_total',
      help: 'Times that the position of a partition was moved without reading what lies between.',
      labelNames: ['reason'],
      registers,
    }),
  };
}

function durabilityMetrics(registry: Registry) {
  const registers = [registry];
  return {
    fileSize: new Gauge({
      name: 'file_size_bytes',
      help: 'Size of the active file at the last checkpoint.',
      labelNames: ['file'],
      registers,
    }),
    rotations: new Counter({
      name: 'log_consumer_rotations_total',
      help: 'Active files closed for their size or age.',
      labelNames: ['file'],
      registers,
    }),
    checkpointSequence: new Gauge({
      name: 'log_consumer_checkpoint_sequence',
      help: 'Number of the last checkpoint.',
      registers,
    }),
    checkpointDuration: new Histogram({
      name: 'log_consumer_checkpoint_duration_seconds',
      help: 'Time to force the files and the checkpoint to the disk.',
      buckets: SYNC_BUCKETS_SECONDS,
      registers,
    }),
    lastProgress: new Gauge({
      name: 'log_consumer_last_progress_timestamp_seconds',
      help: 'When the last checkpoint became durable, in seconds since the epoch.',
      registers,
    }),
    stalled: new Gauge({
      name: 'log_consumer_stalled',
      help: '1 while there is work and nothing becomes durable, though the disk and the broker are well.',
      registers,
    }),
    circuitState: new Gauge({
      name: 'log_consumer_circuit_state',
      help: '0 while calls go through, 2 while they are held back because too many failed, 1 while one probes.',
      labelNames: ['circuit'],
      registers,
    }),
    diskBlocked: new Gauge({
      name: 'log_consumer_disk_blocked',
      help: '1 while nothing can be written because the disk is full or refuses.',
      registers,
    }),
  };
}

function consumerMetrics(registry: Registry) {
  const registers = [registry];
  return {
    lag: new Gauge({
      name: 'kafka_consumer_lag',
      help: 'Records between the end of the partition and what is on stable storage.',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    commits: new Counter({
      name: 'log_consumer_commits_total',
      help: 'Offset commits by outcome; fenced means that the group had moved on, and the next one follows.',
      labelNames: ['outcome'],
      registers,
    }),
    rebalances: new Counter({
      name: 'log_consumer_rebalances_total',
      help: 'Rebalances of the consumer group that this member took part in.',
      registers,
    }),
    assignedPartitions: new Gauge({
      name: 'log_consumer_assigned_partitions',
      help: 'Partitions that this instance reads now.',
      registers,
    }),
    memoryLimit: new Gauge({
      name: 'log_consumer_memory_limit_bytes',
      help: 'Memory of the container, or of the machine where there is no container.',
      registers,
    }),
    memoryBound: new Gauge({
      name: 'log_consumer_memory_bound_bytes',
      help: 'Sum of everything that the configured limits let ordinary records fill.',
      registers,
    }),
    queueItems: new Gauge({
      name: 'log_consumer_queue_items',
      help: 'Tasks waiting for the transform pool.',
      registers,
    }),
    queueBytes: new Gauge({
      name: 'log_consumer_queue_bytes',
      help: 'Compressed bytes waiting for the transform pool.',
      registers,
    }),
  };
}
