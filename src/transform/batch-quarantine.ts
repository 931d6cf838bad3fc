import type { DecodeFailure } from './decode-failure.ts';
import { jsonText } from './json-bytes.ts';
import type { LineBuffer } from './line-buffer.ts';
import { appendBase64, appendText } from './quarantine-bytes.ts';

/** The last instant that is written with a year of four digits. */
const LATEST_MS = 253_402_300_799_999;

/** The part of a record batch from which no records could be taken. */
export interface UndecodedBatch {
  readonly topic: string;
  readonly partition: number;
  /** The first and the last offset that the line stands for. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly records: number;
  /** -1 when there is none, or none that can be trusted. */
  readonly timestampMs: number;
  /** The whole batch as it came, also when its first records were good. */
  readonly raw: Uint8Array;
}

/**
 * Writes the one line of `quarantine.jsonl` that stands for all records of a batch (or for those after
 * its last good one). It has the fields of a quarantined record, and `last_offset` and `records`.
 */
export function appendUndecodedBatch(
  quarantine: LineBuffer,
  batch: UndecodedBatch,
  failure: DecodeFailure,
): void {
  const { raw, timestampMs } = batch;
  const hasTimestamp = timestampMs >= 0 && timestampMs <= LATEST_MS;
  const head = jsonText({
    reason: failure.reason,
    detail: failure.detail,
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.firstOffset,
    last_offset: batch.lastOffset,
    records: batch.records,
    key: null,
    headers: [],
    timestamp: hasTimestamp ? new Date(timestampMs).toISOString() : null,
  });
  appendText(quarantine, `${head.slice(0, -1)},`);
  appendBase64(quarantine, 'raw', raw);
  appendText(quarantine, '}\n');
}
