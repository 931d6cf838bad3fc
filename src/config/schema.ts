/**
 * The one schema of the configuration: every section and key of config.yaml, with range, default and
 * reason. The types, the JSON Schema, the table in docs/configuration.md and the names of the environment
 * variables are all derived from it.
 */
import { z } from 'zod';
import { type CategoryRule, DEFAULT_CATEGORY_RULES } from '../core/category-rules.ts';
import { MAX_RECORD_DEPTH } from '../core/limits.ts';
import { SEAL_FORMATS } from '../core/seal-format.ts';
import { backup } from './schema-backup.ts';
import { retention } from './schema-retention.ts';
import { sasl, tls } from './schema-security.ts';
import {
  bytes,
  choice,
  duration,
  flag,
  integer,
  integerOrAuto,
  level,
  levelOrNone,
  list,
  lists,
  text,
} from './setting.ts';

/** `host:port`, where the host is a name, an IPv4 address or a bracketed IPv6 address. */
const BROKER =
  /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/;

/** Kafka's own rule for topic names. */
const TOPIC = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/;

const DEAD_LETTER_TOPIC = /^(?!\.{1,2}$)[A-Za-z0-9._-]{0,249}$/;

/** Anything printable on one line. */
const NAME = /^[^\p{Cc}]{1,255}$/u;

/** It becomes the name of a folder, so `.` and `..` are out. */
const INSTANCE_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{0,64}$/;

const PATH = /^[^\0]+$/;

const HOST = /^[A-Za-z0-9._:-]{1,253}$/;

const kafka = z.strictObject({
  brokers: list(
    {
      default: ['localhost:9092'],
      min: 1,
      pattern: BROKER,
      accepts: 'one or more brokers as host:port, in a list or separated by commas',
    },
    'Brokers to ask for the rest of the cluster. Two or three are enough for any size of cluster.',
  ),
  topic: text(
    {
      default: 'logs',
      pattern: TOPIC,
      accepts: 'a topic name of 1 to 249 of the characters A-Z a-z 0-9 . _ -',
    },
    'Topic to read. It has to exist: the service never creates topics.',
  ),
  group_id: text(
    { default: 'log_aggregator', pattern: NAME, accepts: 'a name of 1 to 255 characters' },
    'Consumer group. Instances with the same group share the partitions.',
  ),
  client_id: text(
    { default: 'log-consumer', pattern: NAME, accepts: 'a name of 1 to 255 characters' },
    "Name of this client in the broker's logs and quotas.",
  ),
  session_timeout: duration(
    { default: '30s', min: '6s', max: '30m' },
    'Without a heartbeat for this long, the broker gives the partitions to others. The range is the default range of a broker.',
  ),
  heartbeat_interval: duration(
    { default: '3s', min: '100ms', max: '10m' },
    'Time between heartbeats. At most a third of session_timeout, so that two may be lost.',
  ),
  rebalance_timeout: duration(
    { default: '60s', min: '6s', max: '1h' },
    'How long the group waits for a member to finish its work and join again. A checkpoint and a commit have to fit in.',
  ),
  connection_timeout: duration(
    { default: '10s', min: '100ms', max: '5m' },
    "How long to wait for a connection. The client library's own default of 1 s is too short for TLS.",
  ),
  request_timeout: duration(
    { default: '30s', min: '1s', max: '10m' },
    'How long to wait for an answer of a broker before asking again.',
  ),
  max_wait_time: duration(
    { default: '250ms', min: '10ms', max: '30s' },
    'How long a broker may wait for new records before it answers with none; also the pause between looks while reading is halted.',
  ),
  max_bytes_per_partition: bytes(
    { default: '1MiB', min: '16KiB', max: '256MiB' },
    'Compressed bytes of one partition per fetch. A quarter of it halves the throughput, because fetches do not overlap.',
  ),
  max_bytes: bytes(
    { default: '16MiB', min: '16KiB', max: '1GiB' },
    'Compressed bytes per fetch over all partitions of a broker; bounds the memory of one answer.',
  ),
  on_lost_records: choice(
    ['stop', 'earliest'],
    'earliest',
    "When Kafka's retention deleted records before they were read: go on at the earliest that exists (counted and reported), or stop.",
  ),
  on_position_conflict: choice(
    ['stop', 'checkpoint', 'group'],
    'stop',
    'When the checkpoint of the files and the committed offset of the group contradict each other: stop, or trust one of them. Trusting the wrong one loses or repeats records, so a person decides.',
  ),
  on_topic_recreated: choice(
    ['stop', 'earliest'],
    'stop',
    'When the topic was deleted and created again, so that old offsets mean nothing: stop, or read the new topic from its beginning.',
  ),
  tls: tls.prefault({}),
  sasl: sasl.prefault({}),
});

const output = z.strictObject({
  directory: text(
    { default: 'logs', pattern: PATH, accepts: 'the path of a directory' },
    'Where the log files are kept; relative to the working directory. Created when missing.',
  ),
  instance_id: text(
    {
      default: '',
      pattern: INSTANCE_ID,
      accepts: 'up to 64 of the characters A-Z a-z 0-9 . _ -, or "" for none',
    },
    'Set it when several instances share the directory: each then writes below instances/<id>/.',
  ),
  min_level: level('INFO', 'Records below this level are counted and not stored.'),
  max_file_size: bytes(
    { default: '100MiB', min: '1KiB', max: '64GiB' },
    'An active file that reaches this size is closed, compressed and replaced by a new one.',
  ),
  max_file_age: duration(
    { default: '24h', min: '1s', max: '365d' },
    'An active file with records this old is closed too, so that a quiet category is archived every day.',
  ),
  buffer_size: integer(
    { default: 10_000, min: 1, max: 1_000_000 },
    'Records kept in memory before they are written to the file.',
  ),
  flush_interval: duration(
    { default: '1s', min: '10ms', max: '10m' },
    'Records are written to the file after this time even when buffer_size is not reached.',
  ),
  checkpoint_interval: duration(
    { default: '1s', min: '10ms', max: '10m' },
    'Time between checkpoints: everything is flushed, forced to the disk and then committed to Kafka. Shorter means a fresher commit and more disk syncs.',
  ),
});

const transform = z.strictObject({
  workers: integerOrAuto(
    { min: 1, max: 64 },
    'Threads that decompress, parse and normalise. auto: one per core on 1 or 2 cores, else all but one, at most 8 and what fits into memory; the limits of a container count.',
  ),
  in_flight_per_worker: integer(
    { default: 4, min: 1, max: 32 },
    'Tasks handed to the pool per worker; enough that a worker never waits for the main thread.',
  ),
  task_bytes: bytes(
    { default: '128KiB', min: '1KiB', max: '16MiB' },
    'Compressed bytes per task. Small tasks cost messages between threads, large ones memory and latency.',
  ),
  queue_bytes: bytes(
    { default: '16MiB', min: '64KiB', max: '4GiB' },
    'Compressed bytes that wait for the pool. When it is full, nothing more is fetched, so memory does not grow with the lag.',
  ),
  queue_items: integer(
    { default: 4096, min: 1, max: 1_000_000 },
    'Tasks that wait for the pool; bounds the cost of very small ones.',
  ),
  max_record_bytes: bytes(
    { default: '8MiB', min: '1KiB', max: '256MiB' },
    'A larger record goes to the quarantine.',
  ),
  max_depth: integer(
    { default: 128, min: 4, max: MAX_RECORD_DEPTH },
    'A record nested deeper goes to the quarantine. Far above what loggers print, far below what exhausts a stack.',
  ),
  max_decompressed_bytes: bytes(
    { default: '64MiB', min: '64KiB', max: '1GiB' },
    'A batch that decompresses to more goes to the quarantine; stops compression bombs.',
  ),
});

const FIELD_NAMES = { min: 0, pattern: NAME, accepts: 'field names, in a list or separated by commas' };

/** A category in config.yaml replaces the defaults of that category key by key. */
function category(rule: CategoryRule, content: string) {
  return z
    .strictObject({
      min_level: levelOrNone(rule.minLevel, `${content}: every record at or above this level.`),
      exception: flag(rule.exception, `${content}: every record that carries an exception.`),
      fields: list(
        { ...FIELD_NAMES, default: rule.fields },
        `${content}: every record with one of these fields. Names are compared without case, _, - and .`,
      ),
      numeric_field_endings: list(
        { ...FIELD_NAMES, default: rule.numericFieldEndings },
        `${content}: every record with a numeric field whose name ends like one of these.`,
      ),
      values: lists(
        rule.values,
        `${content}: every record in which the named field has one of the values, compared without case.`,
      ),
    })
    .prefault({});
}

const categories = z.strictObject({
  error_logs: category(DEFAULT_CATEGORY_RULES.error_logs, 'Errors and exceptions'),
  performance_logs: category(DEFAULT_CATEGORY_RULES.performance_logs, 'Timing and metrics'),
  audit_logs: category(DEFAULT_CATEGORY_RULES.audit_logs, 'Security and compliance'),
});

const quarantine = z.strictObject({
  dead_letter_topic: text(
    {
      default: '',
      pattern: DEAD_LETTER_TOPIC,
      accepts: 'a topic name of 1 to 249 of the characters A-Z a-z 0-9 . _ -, or "" for none',
    },
    'Topic that quarantined records are also sent to, with their key, value and headers as they came. It has to exist. Off when empty.',
  ),
});

const seal = z.strictObject({
  format: choice(
    SEAL_FORMATS,
    'gzip',
    'How closed files are compressed. gzip is read by everything; zstd is smaller and faster to read; lz4 is the fastest and largest.',
  ),
  compression_level: integer(
    { default: 6, min: 1, max: 9 },
    'Level of gzip and zstd; lz4 has none. On generated logs gzip 9 saved 9 % of the space for 2.4 times the CPU time of 6.',
  ),
  concurrency: integer(
    { default: 1, min: 1, max: 4 },
    'Files sealed at the same time. One keeps the other cores for ingestion.',
  ),
  memory_limit: bytes(
    { default: '256MiB', min: '256MiB', max: '64GiB' },
    'Memory of the process that seals, which runs beside the ingestion at the lowest priority.',
  ),
});

const ops = z.strictObject({
  host: text(
    { default: '127.0.0.1', pattern: HOST, accepts: 'a host name or an IP address' },
    'Address of metrics and health. They need no login, so only this machine reaches them unless you say so; a container sets 0.0.0.0.',
  ),
  port: integer({ default: 9464, min: 0, max: 65_535 }, 'Port of metrics and health; 0 takes any free one.'),
});

const telemetry = z.strictObject({
  log_level: choice(
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    "Lowest level of the service's own log on standard error. debug adds one line per checkpoint and commit.",
  ),
});

const shutdown = z.strictObject({
  deadline: duration(
    { default: '25s', min: '1s', max: '10m' },
    'After this time a stop is forced. Below the 30 s that Kubernetes waits before it kills.',
  ),
});

/** A section may be left out, which gives all its defaults. */
function section<S extends z.core.$ZodShape>(schema: z.ZodObject<S, z.core.$strict>, description: string) {
  return schema.prefault({} as z.input<typeof schema>).meta({ description });
}

/** Unknown keys are errors at every depth. */
export const configSchema = z.strictObject({
  kafka: section(kafka, 'The broker, the topic, and how the service takes part in its consumer group.'),
  output: section(output, 'The log files.'),
  transform: section(transform, 'The pool of threads that turns records into lines, and its bounds.'),
  categories: section(
    categories,
    'Which records are also written to error_logs, performance_logs and audit_logs; service_logs has all of them.',
  ),
  quarantine: section(quarantine, 'What becomes of records that cannot be accepted, besides the file.'),
  seal: section(seal, 'Compression of closed files, behind the ingestion.'),
  retention: section(retention, 'Removal of old sealed files. Nothing is removed by default.'),
  backup: section(backup, 'Copies of closed files in a store that speaks the protocol of Amazon S3.'),
  ops: section(ops, 'The HTTP port with /metrics, /health/live and /health/ready.'),
  telemetry: section(telemetry, "The service's own log."),
  shutdown: section(shutdown, 'How the service ends.'),
});

/** The settings as parsed: keys as in config.yaml, sizes in bytes, durations in milliseconds. */
export type Settings = z.output<typeof configSchema>;
