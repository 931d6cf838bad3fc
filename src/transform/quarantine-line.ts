/**
 * The line of `quarantine.jsonl` for a record that could not be accepted:
 * `{reason, detail, topic, partition, offset, key, headers, timestamp, raw}`.
 *
 * `key` and `raw` are text, or base64 with `"key_encoding"` or `"raw_encoding":"base64"` after them when
 * the bytes are not UTF-8; null when the record has none. `headers` is a list of `{name, value}` in their
 * order (names can repeat), with `"name_encoding"` and `"value_encoding"` in the same way. `timestamp` is
 * Kafka's, in UTC, null when there is none. `raw` is never cut. Headers are written up to
 * MAX_HEADER_BYTES of encoded size; `headers_omitted` counts those beyond.
 */
import { isUtf8 } from 'node:buffer';
import type { QuarantineReason } from '../core/quarantine.ts';
import { LATEST_MS } from './calendar.ts';
import { jsonText } from './json-bytes.ts';
import type { LineBuffer } from './line-buffer.ts';
import type { RawRecord } from './raw-record.ts';
import { RecordHeaders } from './record-headers.ts';

const MAX_HEADER_BYTES = 1 << 20;

type Fields = Record<string, unknown>;

/** Sets `name` to the bytes as text, or as base64 with a note of that. */
function setBytes(fields: Fields, name: string, bytes: Uint8Array, start: number, end: number): void {
  if (start < 0) {
    fields[name] = null;
    return;
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  const isText = isUtf8(view);
  fields[name] = view.toString(isText ? 'utf8' : 'base64');
  if (!isText) fields[`${name}_encoding`] = 'base64';
}

function setHeaders(fields: Fields, record: RawRecord): void {
  const list: Fields[] = [];
  const headers = new RecordHeaders(record);
  while (headers.next()) {
    if (headers.valueEnd - record.headersStart > MAX_HEADER_BYTES) break;
    const header: Fields = {};
    setBytes(header, 'name', record.bytes, headers.keyStart, headers.keyEnd);
    setBytes(header, 'value', record.bytes, headers.valueStart, headers.valueEnd);
    list.push(header);
  }
  fields['headers'] = list;
  if (list.length < record.headerCount) fields['headers_omitted'] = record.headerCount - list.length;
}

/** Appends the line for `record` to `quarantine`. */
export function appendQuarantineLine(
  quarantine: LineBuffer,
  record: RawRecord,
  source: { readonly topic: string; readonly partition: number },
  reason: QuarantineReason,
  detail: string,
): void {
  const fields: Fields = {
    reason,
    detail,
    topic: source.topic,
    partition: source.partition,
    offset: record.offset,
  };
  setBytes(fields, 'key', record.bytes, record.keyStart, record.keyEnd);
  setHeaders(fields, record);
  const hasTimestamp = record.timestamp >= 0 && record.timestamp <= LATEST_MS;
  fields['timestamp'] = hasTimestamp ? new Date(record.timestamp).toISOString() : null;
  setBytes(fields, 'raw', record.bytes, record.valueStart, record.valueEnd);
  const text = `${jsonText(fields)}\n`;
  quarantine.reserve(Buffer.byteLength(text));
  const { bytes } = quarantine;
  const target = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  quarantine.length += target.write(text, quarantine.length, 'utf8');
}
