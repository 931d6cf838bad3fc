/**
 * The configuration as the program uses it: frozen, camelCase, units in the names. Each module is given
 * its section only.
 */
import type { BackupTarget } from '../core/backup-target.ts';
import type { CategoryRule, CategoryRules } from '../core/category-rules.ts';
import type { KafkaSecurity } from '../core/kafka-security.ts';
import type { Level } from '../core/level.ts';
import { UPKEEP_BASE_BYTES, UPKEEP_BYTES_PER_FILE } from '../core/limits.ts';
import { type MemoryBound, memoryBound } from '../core/memory-bound.ts';
import type { RetentionPolicy } from '../core/retention-policy.ts';
import type { SealFormat } from '../core/seal-format.ts';
import { backupFrom } from './backup.ts';
import type { Machine } from './machine.ts';
import { type MemoryBudget, memoryBudget } from './memory-budget.ts';
import { retentionFrom } from './retention.ts';
import type { Settings } from './schema.ts';
import { securityFrom } from './security.ts';
import { resolveWorkers } from './workers.ts';

interface KafkaConfig extends KafkaSecurity {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly groupId: string;
  readonly clientId: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxWaitTimeMs: number;
  readonly maxBytesPerPartition: number;
  readonly maxBytes: number;
  readonly onLostRecords: 'stop' | 'earliest';
  readonly onPositionConflict: 'stop' | 'checkpoint' | 'group';
  readonly onTopicRecreated: 'stop' | 'earliest';
}

interface OutputConfig {
  readonly directory: string;
  /** Null when the instance has the directory for itself. */
  readonly instanceId: string | null;
  readonly minLevel: Level;
  readonly maxFileBytes: number;
  readonly maxFileAgeMs: number;
  readonly bufferRecords: number;
  readonly flushIntervalMs: number;
  readonly checkpointIntervalMs: number;
}

interface TransformConfig {
  /** `auto` is resolved. */
  readonly workers: number;
  /** Tasks handed to the pool at the same time, over all workers. */
  readonly tasksInFlight: number;
  readonly taskBytes: number;
  readonly queueBytes: number;
  readonly queueItems: number;
  readonly maxRecordBytes: number;
  readonly maxDepth: number;
  readonly maxDecompressedBytes: number;
}

interface QuarantineConfig {
  /** Null when records are not sent anywhere. */
  readonly deadLetterTopic: string | null;
}

interface SealConfig {
  readonly format: SealFormat;
  readonly compressionLevel: number;
  readonly concurrency: number;
  /** For the columnar sidecar that is being written: what the rest of the upkeep process leaves. */
  readonly columnsMemoryBytes: number;
}

interface OpsConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

interface TelemetryConfig {
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
}

export interface Config {
  readonly kafka: KafkaConfig;
  readonly output: OutputConfig;
  readonly transform: TransformConfig;
  readonly categories: CategoryRules;
  readonly quarantine: QuarantineConfig;
  readonly seal: SealConfig;
  readonly retention: RetentionPolicy;
  /** Null when no bucket is set. */
  readonly backup: BackupTarget | null;
  readonly ops: OpsConfig;
  readonly telemetry: TelemetryConfig;
  readonly shutdown: { readonly deadlineMs: number };
  /** What the limits above add up to, and what there is. */
  readonly memory: MemoryBudget;
  /** The file that was read; null when there was none. */
  readonly file: string | null;
  /** Full sentences about settings that are accepted but have no effect. */
  readonly warnings: readonly string[];
  /** Every setting by its key in config.yaml, as text for people; secrets replaced. */
  readonly described: Readonly<Record<string, unknown>>;
}

type Sections = Omit<Config, 'file' | 'warnings' | 'described'>;

/** Renames the parsed settings and resolves `auto` for a machine. */
export function sectionsFrom(settings: Settings, machine: Machine): Sections {
  const workers = resolveWorkers(
    settings.transform.workers,
    machine.cores,
    (count) => boundWith(settings, count).bytes <= machine.memoryBytes,
  );
  return {
    kafka: kafkaFrom(settings.kafka),
    output: outputFrom(settings.output),
    transform: transformFrom(settings.transform, workers),
    categories: {
      error_logs: categoryFrom(settings.categories.error_logs),
      performance_logs: categoryFrom(settings.categories.performance_logs),
      audit_logs: categoryFrom(settings.categories.audit_logs),
    },
    quarantine: { deadLetterTopic: settings.quarantine.dead_letter_topic || null },
    seal: sealFrom(settings.seal),
    retention: retentionFrom(settings.retention),
    backup: backupFrom(settings.backup),
    ops: { host: settings.ops.host, port: settings.ops.port },
    telemetry: { logLevel: settings.telemetry.log_level },
    shutdown: { deadlineMs: settings.shutdown.deadline },
    memory: memoryBudget(boundWith(settings, workers), machine),
  };
}

function boundWith({ kafka, transform, seal }: Settings, workers: number): MemoryBound {
  return memoryBound({
    brokers: kafka.brokers.length,
    maxBytes: kafka.max_bytes,
    workers,
    tasksInFlight: workers * transform.in_flight_per_worker,
    taskBytes: transform.task_bytes,
    queueBytes: transform.queue_bytes,
    maxDecompressedBytes: transform.max_decompressed_bytes,
    sealBytes: seal.memory_limit,
  });
}

function sealFrom(seal: Settings['seal']): SealConfig {
  return {
    format: seal.format,
    compressionLevel: seal.compression_level,
    concurrency: seal.concurrency,
    columnsMemoryBytes: seal.memory_limit - UPKEEP_BASE_BYTES - seal.concurrency * UPKEEP_BYTES_PER_FILE,
  };
}

function kafkaFrom(kafka: Settings['kafka']): KafkaConfig {
  return {
    brokers: kafka.brokers,
    topic: kafka.topic,
    groupId: kafka.group_id,
    clientId: kafka.client_id,
    sessionTimeoutMs: kafka.session_timeout,
    heartbeatIntervalMs: kafka.heartbeat_interval,
    rebalanceTimeoutMs: kafka.rebalance_timeout,
    connectionTimeoutMs: kafka.connection_timeout,
    requestTimeoutMs: kafka.request_timeout,
    maxWaitTimeMs: kafka.max_wait_time,
    maxBytesPerPartition: kafka.max_bytes_per_partition,
    maxBytes: kafka.max_bytes,
    onLostRecords: kafka.on_lost_records,
    onPositionConflict: kafka.on_position_conflict,
    onTopicRecreated: kafka.on_topic_recreated,
    ...securityFrom(kafka),
  };
}

function outputFrom(output: Settings['output']): OutputConfig {
  return {
    directory: output.directory,
    instanceId: output.instance_id === '' ? null : output.instance_id,
    minLevel: output.min_level,
    maxFileBytes: output.max_file_size,
    maxFileAgeMs: output.max_file_age,
    bufferRecords: output.buffer_size,
    flushIntervalMs: output.flush_interval,
    checkpointIntervalMs: output.checkpoint_interval,
  };
}

function transformFrom(transform: Settings['transform'], workers: number): TransformConfig {
  return {
    workers,
    tasksInFlight: workers * transform.in_flight_per_worker,
    taskBytes: transform.task_bytes,
    queueBytes: transform.queue_bytes,
    queueItems: transform.queue_items,
    maxRecordBytes: transform.max_record_bytes,
    maxDepth: transform.max_depth,
    maxDecompressedBytes: transform.max_decompressed_bytes,
  };
}

function categoryFrom(category: Settings['categories']['error_logs']): CategoryRule {
  return {
    minLevel: category.min_level,
    exception: category.exception,
    fields: category.fields,
    numericFieldEndings: category.numeric_field_endings,
    values: category.values,
  };
}
