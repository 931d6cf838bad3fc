import type { QuarantineEntry } from '../core/quarantine-entry.ts';
import type { RawRecord } from './raw-record.ts';

/**
 * The record as it lay in a batch: its headers, encoded as Kafka does (record-headers.ts reads them), and
 * its value. The key is of no interest to the parser and is left out.
 */
export function rawRecordOf(
  { offset, timestamp, headers }: Pick<QuarantineEntry, 'offset' | 'timestamp' | 'headers'>,
  value: Uint8Array | null,
): RawRecord {
  const encoded = headers.flatMap(({ name, value: content }) => [...field(name), ...field(content)]);
  const headersEnd = encoded.reduce((sum, part) => sum + part.length, 0);
  return {
    bytes: Buffer.concat(value === null ? encoded : [...encoded, value]),
    offset,
    timestamp,
    keyStart: -1,
    keyEnd: -1,
    valueStart: value === null ? -1 : headersEnd,
    valueEnd: value === null ? -1 : headersEnd + value.length,
    headersStart: 0,
    headersEnd,
    headerCount: headers.length,
  };
}

/** Length and bytes; null has the length -1. */
function field(bytes: Uint8Array | null): Uint8Array[] {
  return bytes === null ? [varint(-1)] : [varint(bytes.length), bytes];
}

/** Zigzag-encoded. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}
