/**
 * Reads a line of `quarantine.jsonl` back (transform/quarantine-line.ts and batch-quarantine.ts write
 * them). What comes before `raw` is small as a rule and goes through JSON.parse; `raw` can be as large as
 * a whole decompressed batch, so it is decoded from bytes to bytes, and only when somebody asks.
 */
import type { QuarantinedHeader, QuarantineEntry } from '../core/quarantine-entry.ts';
import { unescapeJson } from './json-unescape.ts';

/** Outside of a string only: inside of one, the quotes would be escaped. */
const RAW_MEMBER = Buffer.from(',"raw":');
const QUOTE = 0x22;
/** A multiple of 4, so that each piece of base64 decodes by itself. */
const BASE64_PIECE = 64 * 1024;

type Encoding = 'base64' | undefined;

interface Head {
  readonly reason?: unknown;
  readonly detail?: unknown;
  readonly topic?: unknown;
  readonly partition?: unknown;
  readonly offset?: unknown;
  readonly last_offset?: number;
  readonly records?: number;
  readonly key?: string | null;
  readonly key_encoding?: Encoding;
  readonly headers?: readonly {
    readonly name: string;
    readonly name_encoding?: Encoding;
    readonly value: string | null;
    readonly value_encoding?: Encoding;
  }[];
  readonly timestamp?: string | null;
}

/** @returns undefined when the line is not one of the quarantine */
export function parseQuarantineEntry(line: Buffer): QuarantineEntry | undefined {
  const rawAt = line.indexOf(RAW_MEMBER);
  const head = parseHead(rawAt === -1 ? line.toString() : `${line.toString('utf8', 0, rawAt)}}`);
  if (head === undefined) return undefined;
  const { reason, topic, partition, offset } = head;
  if (typeof reason !== 'string' || typeof topic !== 'string') return undefined;
  if (typeof partition !== 'number' || typeof offset !== 'number') return undefined;
  const raw = rawAt === -1 ? undefined : line.subarray(rawAt + RAW_MEMBER.length);
  return {
    reason,
    detail: typeof head.detail === 'string' ? head.detail : '',
    topic,
    partition,
    offset,
    lastOffset: head.last_offset ?? offset,
    records: head.records ?? 1,
    isBatch: head.last_offset !== undefined,
    timestamp: typeof head.timestamp === 'string' ? Date.parse(head.timestamp) : -1,
    key: bytesOf(head.key, head.key_encoding),
    headers: (head.headers ?? []).map(
      ({ name, name_encoding, value, value_encoding }): QuarantinedHeader => ({
        name: bytesOf(name, name_encoding) ?? Buffer.alloc(0),
        value: bytesOf(value, value_encoding),
      }),
    ),
    raw: () => (raw === undefined ? null : decodeRaw(raw)),
  };
}

function parseHead(text: string): Head | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function bytesOf(text: string | null | undefined, encoding: Encoding): Buffer | null {
  if (text === null || text === undefined) return null;
  return Buffer.from(text, encoding ?? 'utf8');
}

/** @param member what follows `"raw":` in the line */
function decodeRaw(member: Buffer): Buffer | null {
  if (member[0] !== QUOTE) return null;
  const end = member.lastIndexOf('","raw_encoding":"base64"');
  if (end !== -1) return decodeBase64(member.subarray(1, end));
  return unescapeJson(member.subarray(1, member.lastIndexOf(QUOTE)));
}

/** In pieces: as one string, the longest values would be too long for one. */
function decodeBase64(text: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(Math.ceil(text.length / 4) * 3);
  let length = 0;
  for (let start = 0; start < text.length; start += BASE64_PIECE) {
    length += bytes.write(text.toString('latin1', start, start + BASE64_PIECE), length, 'base64');
  }
  return bytes.subarray(0, length);
}
