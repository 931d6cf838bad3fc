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

/** How long the writer waits before it tries again on a full disk. */
export const DISK_RETRY_MS = 1000;

/** A handler that waits for room does so in slices of this, with a heartbeat after each. */
export const BACKPRESSURE_SLICE_MS = 500;

/**
 * How long a rebalance may wait for the last checkpoint and its commit. What is not settled by then is
 * decided after it; the members that wait for us must not wait longer.
 */
export const REVOKE_DEADLINE_MS = 4000;

/** Plain bytes in one gzip member of a sealed file. */
export const GZIP_MEMBER_BYTES = MIB;
