/**
 * An entry of the quarantine as it goes to the dead-letter topic: key, value and headers as they came, and
 * headers of ours behind them, as text like those of Kafka Connect (KIP-298), that say why and where from.
 * Topic, partition and offset together tell a record that was sent twice.
 */
import type { DeadLetter } from '../core/dead-letter.ts';
import type { QuarantineEntry } from '../core/quarantine-entry.ts';

const PREFIX = 'log-consumer-';
/** A detail repeats parts of what a producer sent. */
const MAX_DETAIL_LENGTH = 1000;

/** The value of a batch that could not be read is the batch; `last-offset` and `records` are there then. */
export function deadLetterOf(entry: QuarantineEntry): DeadLetter {
  const raw = entry.raw();
  return {
    key: entry.key === null ? null : Buffer.from(entry.key),
    value: raw === null ? null : Buffer.from(raw.buffer, raw.byteOffset, raw.length),
    headers: [
      // The client library knows names as text only, and values that are not null.
      ...entry.headers.map(({ name, value }) => [text(name), Buffer.from(value ?? [])] as const),
      ...Object.entries(ownHeaders(entry)).map(([name, value]) => {
        return [PREFIX + name, Buffer.from(String(value))] as const;
      }),
    ],
  };
}

/** Bytes of it in a request, about. */
export function sizeOf({ key, value, headers }: DeadLetter): number {
  const fields = headers.reduce((sum, [name, content]) => sum + name.length + content.length + 10, 0);
  return fields + (key?.length ?? 0) + (value?.length ?? 0) + 30;
}

function ownHeaders(entry: QuarantineEntry): Record<string, string | number> {
  return {
    reason: entry.reason,
    detail: entry.detail.slice(0, MAX_DETAIL_LENGTH),
    topic: entry.topic,
    partition: entry.partition,
    offset: entry.offset,
    ...(entry.timestamp < 0 ? {} : { timestamp: entry.timestamp }),
    ...(entry.isBatch ? { 'last-offset': entry.lastOffset, records: entry.records } : {}),
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}
