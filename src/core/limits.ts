/**
 * Limits that are not configuration, each with its reason. What operators tune is in config.yaml.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** The writer flushes earlier than configured when this much waits, so that buffers keep circulating. */
export const MAX_PENDING_WRITE_BYTES = MIB;

/**
 * Nor do more units than this wait at the writer: each holds an output buffer, and without a free one
 * nothing is transformed.
 */
export const MAX_PENDING_WRITE_UNITS = 8;

/** Output buffers beyond the tasks in flight: waiting for their turn, or at the writer. */
export const SPARE_OUTPUT_BUFFERS = MAX_PENDING_WRITE_UNITS + 4;

/** First size of an output buffer: what 128 KiB of typical compressed logs become, with room. */
export const OUTPUT_BUFFER_BYTES = 768 * KIB;

/** Output buffers that grew beyond this are dropped after use instead of circulating. */
export const MAX_POOLED_BUFFER_BYTES = 2 * MIB;

/** Pauses of the writer on a full disk: it has to go on within 10 s of space coming back. */
export const DISK_BACKOFF = { firstMs: 500, maxMs: 5000 } as const;

/** Pauses before a broker is asked again that did not answer at the start. */
export const BROKER_BACKOFF = { firstMs: 500, maxMs: 5000 } as const;

/** Pauses before a commit is sent again whose outcome is open; the next checkpoint waits for it. */
export const COMMIT_BACKOFF = { firstMs: 200, maxMs: 5000 } as const;

/**
 * A closed file that could not be compressed is tried again after pauses of these lengths: soon when the
 * disk hiccuped, rarely when it stays full, since each try writes and competes with the log files.
 */
export const SEAL_RETRY = { firstMs: 1000, maxMs: 300_000 } as const;

/** So many failures in a row say that it is the disk and not a file; then one file at a time probes it. */
export const SEAL_CIRCUIT = { failures: 3, pauses: { firstMs: 5000, maxMs: 300_000 } } as const;

/** Pauses before a file is copied to the store again; the store may be overloaded, so they grow. */
export const BACKUP_RETRY = { firstMs: 1000, maxMs: 60_000 } as const;

/** Tries of one file before its copy is left to the next round, a minute later. */
export const BACKUP_ATTEMPTS = 3;

/** So many failures in a row say that it is the store and not a file; then one file at a time probes it. */
export const BACKUP_CIRCUIT = { failures: 3, pauses: { firstMs: 5000, maxMs: 300_000 } } as const;

/** Pauses before the upkeep process is started again after it died. */
export const UPKEEP_BACKOFF = { firstMs: 1000, maxMs: 60_000 } as const;

/** How often the upkeep process looks for something to copy, to send or to remove, besides after each sealing. */
export const UPKEEP_ROUND_MS = 10_000;

/** A handler that waits for room does so in slices of this, with a heartbeat after each. */
export const BACKPRESSURE_SLICE_MS = 500;

/**
 * How long a rebalance may wait for the last checkpoint and its commit. What is not settled by then is
 * decided after it; the members that wait for us must not wait longer.
 */
export const REVOKE_DEADLINE_MS = 4000;

/**
 * Limits of V8 on the heap of one transform thread, in MiB. Memory of buffers is not part of a heap.
 * Nothing is allocated per record, so little lives short; measured, a larger young generation does not
 * make it faster. Of the old one, code, tables and names of services take 10 MiB whatever the records are.
 */
export const WORKER_YOUNG_GENERATION_MIB = 24;
export const WORKER_OLD_GENERATION_MIB = 128;

/** The same for the writer thread, which holds the accounts of partitions and segments besides its code. */
export const WRITER_YOUNG_GENERATION_MIB = 24;
export const WRITER_OLD_GENERATION_MIB = 128;

/** Limit of V8 on the old generation of the upkeep process, in MiB: code, tables, lists of segments. */
export const UPKEEP_HEAP_MIB = 48;

/**
 * What the upkeep process needs besides the columnar sidecars, measured: the program itself, and for each
 * file in work a member with its compressed form and its rows.
 */
export const UPKEEP_BASE_BYTES = 96 * MIB;
export const UPKEEP_BYTES_PER_FILE = 16 * MIB;

/** Memory for a decompressed batch that a transform thread keeps; larger memory goes with its batch. */
export const MAX_KEPT_BATCH_BYTES = 8 * MIB;

/** Plain bytes in one member of a sealed file: enough to compress well, little enough to read one for one line. */
export const MEMBER_BYTES = MIB;

/** The highest limit on the nesting of records that can be configured. */
export const MAX_RECORD_DEPTH = 1000;

/**
 * So long a checkpoint may wait for Kafka before whoever passes its records on takes it as acknowledged: a
 * commit takes milliseconds, and a service without work writes no later checkpoint that would say so.
 */
export const SETTLE_MS = 10_000;

/** Bytes of one request to the dead-letter topic, so that the memory for it is small. A larger record goes alone. */
export const DEAD_LETTER_BATCH_BYTES = 512 * KIB;

/** A larger record is not offered to any topic: brokers close the connection on requests above 100 MiB. */
export const MAX_DEAD_LETTER_BYTES = 64 * MIB;

/** Pauses before the dead-letter topic is tried again, and how often it is within one pass. */
export const DEAD_LETTER_RETRY = { tries: 5, pauses: { firstMs: 500, maxMs: 30_000 } } as const;
