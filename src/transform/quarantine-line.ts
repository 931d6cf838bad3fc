/**
 * The line of `quarantine.jsonl` for a record that could not be accepted:
 * `{reason, detail, topic, partition, offset, key, headers, timestamp, raw}`.
 *
 * `key` and `raw` are text, or base64 with `"key_encoding"` or `"raw_encoding":"base64"` after them when
 * the bytes are not readable text (see quarantine-bytes.ts); null when the record has none. `headers` is a list of `{name, value}` in their
 * order (names can repeat), with `"name_encoding"` and `"value_encoding"` in the same way. `timestamp` is
 * Kafka's, in UTC, null when there is none. `raw` is never cut. Headers are written up to
 * MAX_HEADER_BYTES of encoded size; `headers_omitted` counts those beyond.
 */
import type { QuarantineReason } from '../core/quarantine.ts';
import { LATEST_MS } from './calendar.ts';
import { jsonText } from './json-bytes.ts';
import type { LineBuffer } from './line-buffer.ts';
import { appendBytes, appendText } from './quarantine-bytes.ts';
import type { RawRecord } from './raw-record.ts';
import { RecordHeaders } from './record-headers.ts';

const MAX_HEADER_BYTES = 1 << 20;

type Fields = Record<string, unknown>;

/** Appends the line for `record` to `quarantine`. */
export function appendQuarantineLine(
  quarantine: LineBuffer,
  record: RawRecord,
  source: { readonly topic: string; readonly partition: number },
  reason: QuarantineReason,
  detail: string,
): void {
  const { topic, partition } = source;
  appendText(quarantine, '{');
  appendFields(quarantine, { reason, detail, topic, partition, offset: record.offset });
  appendText(quarantine, ',');
  appendRecordBytes(quarantine, 'key', record.bytes, record.keyStart, record.keyEnd);
  appendText(quarantine, ',');
  appendHeaders(quarantine, record);
  appendText(quarantine, ',');
  appendFields(quarantine, { timestamp: timestampOf(record) });
  appendText(quarantine, ',');
  appendRecordBytes(quarantine, 'raw', record.bytes, record.valueStart, record.valueEnd);
  appendText(quarantine, '}\n');
}

/** Appends the members of `fields` without the braces. */
function appendFields(quarantine: LineBuffer, fields: Fields): void {
  appendText(quarantine, jsonText(fields).slice(1, -1));
}

function appendRecordBytes(
  quarantine: LineBuffer,
  name: string,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (start < 0) appendText(quarantine, `"${name}":null`);
  else appendBytes(quarantine, name, bytes.subarray(start, end));
}

function timestampOf({ timestamp }: RawRecord): string | null {
  return timestamp >= 0 && timestamp <= LATEST_MS ? new Date(timestamp).toISOString() : null;
}

/** Appends `"headers":[…]`, and `,"headers_omitted":N` when there were more than are kept. */
function appendHeaders(quarantine: LineBuffer, record: RawRecord): void {
  appendText(quarantine, '"headers":[');
  const headers = new RecordHeaders(record);
  let kept = 0;
  while (headers.next()) {
    if (headers.valueEnd - record.headersStart > MAX_HEADER_BYTES) break;
    appendText(quarantine, kept === 0 ? '{' : ',{');
    appendRecordBytes(quarantine, 'name', record.bytes, headers.keyStart, headers.keyEnd);
    appendText(quarantine, ',');
    appendRecordBytes(quarantine, 'value', record.bytes, headers.valueStart, headers.valueEnd);
    appendText(quarantine, '}');
    kept += 1;
  }
  appendText(quarantine, ']');
  const omitted = record.headerCount - kept;
  if (omitted > 0) appendText(quarantine, `,"headers_omitted":${omitted}`);
}
