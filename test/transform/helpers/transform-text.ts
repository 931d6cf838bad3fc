import { DEFAULT_CATEGORY_RULES } from '../../../src/core/category-rules.ts';
import { CATEGORIES } from '../../../src/core/files.ts';
import { LEVELS } from '../../../src/core/level.ts';
import type { QuarantineReason } from '../../../src/core/quarantine.ts';
import { LineBuffer } from '../../../src/transform/line-buffer.ts';
import type { RawRecord } from '../../../src/transform/raw-record.ts';
import { type RecordOptions, RecordTransformer } from '../../../src/transform/record-transformer.ts';

export const KAFKA_TIMESTAMP = Date.UTC(2026, 10, 23, 9, 0, 0, 123);

export const OPTIONS: RecordOptions = {
  minLevel: 'TRACE',
  maxRecordBytes: 1 << 20,
  maxDepth: 64,
  categories: DEFAULT_CATEGORY_RULES,
};

type Headers = readonly (readonly [name: string | Buffer, value: string | Buffer | null])[];

interface Input {
  readonly value: string | Buffer | null;
  readonly key?: string | Buffer | null;
  readonly headers?: Headers;
  readonly timestamp?: number;
}

export interface Transformed {
  readonly outcome: 0 | 1 | 2;
  /** The written line or quarantine line, without its line end. */
  readonly line: string;
  readonly levelRank: number;
  readonly level: string;
  readonly timestampMs: number;
  readonly service: string;
  readonly categories: readonly string[];
  readonly missingTimestamp: boolean;
  readonly unknownLevel: boolean;
  readonly reason: QuarantineReason | null;
}

function varint(value: number): Buffer {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  const bytes: number[] = [];
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function sized(bytes: Buffer | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

const bufferOf = (text: string | Buffer | null): Buffer | null =>
  typeof text === 'string' ? Buffer.from(text) : text;

/** A record laid out as in a Kafka batch, with other bytes before and after it. */
export function rawRecord(input: Input): RawRecord {
  const key = bufferOf(input.key ?? null);
  const value = bufferOf(input.value);
  const encodedHeaders = Buffer.concat(
    (input.headers ?? []).flatMap(([name, text]) => [sized(bufferOf(name)), sized(bufferOf(text))]),
  );
  const before = Buffer.from('"}x');
  const parts = [
    before,
    key ?? Buffer.alloc(0),
    value ?? Buffer.alloc(0),
    encodedHeaders,
    Buffer.from('"}]} ,'),
  ];
  const bytes = new Uint8Array(Buffer.concat(parts));
  const keyEnd = before.length + (key?.length ?? 0);
  const valueEnd = keyEnd + (value?.length ?? 0);
  return {
    bytes,
    offset: 42,
    timestamp: input.timestamp ?? KAFKA_TIMESTAMP,
    keyStart: key === null ? -1 : before.length,
    keyEnd: key === null ? -1 : keyEnd,
    valueStart: value === null ? -1 : keyEnd,
    valueEnd: value === null ? -1 : valueEnd,
    headersStart: valueEnd,
    headersEnd: valueEnd + encodedHeaders.length,
    headerCount: input.headers?.length ?? 0,
  };
}

/** Transforms one record and checks that exactly the promised line was appended. */
export function transformRecord(transformer: RecordTransformer, input: Input): Transformed {
  const lines = new LineBuffer(new ArrayBuffer(16));
  const quarantine = new LineBuffer(new ArrayBuffer(16));
  const outcome = transformer.transform(rawRecord(input), { topic: 'logs', partition: 3 }, lines, quarantine);
  const written = Buffer.from(lines.bytes.subarray(0, lines.length)).toString('utf8');
  const rejected = Buffer.from(quarantine.bytes.subarray(0, quarantine.length)).toString('utf8');
  const line = outcome === 0 ? written : rejected;
  const expected = outcome === 1 ? '' : `${line.replace(/\n$/, '')}\n`;
  if (written + rejected !== expected)
    throw new Error(`not exactly one line: ${JSON.stringify([written, rejected])}`);
  return {
    outcome,
    line: line.slice(0, -1),
    levelRank: transformer.levelRank,
    level: LEVELS[transformer.levelRank] ?? '',
    timestampMs: transformer.timestampMs,
    service: transformer.serviceName(transformer.serviceId),
    categories: CATEGORIES.filter((_, index) => (transformer.categories & (1 << index)) !== 0),
    missingTimestamp: transformer.missingTimestamp,
    unknownLevel: transformer.unknownLevel,
    reason: transformer.quarantineReason,
  };
}

/** Transforms one value with default options. */
export function transformText(value: string | Buffer | null, rest: Omit<Input, 'value'> = {}): Transformed {
  return transformRecord(new RecordTransformer(OPTIONS), { value, ...rest });
}

/** The stored record of a value that is accepted. */
export function storedRecord(
  value: string | Buffer,
  rest: Omit<Input, 'value'> = {},
): Record<string, unknown> {
  const result = transformText(value, rest);
  if (result.outcome !== 0) throw new Error(`not written: ${result.line}`);
  return JSON.parse(result.line) as Record<string, unknown>;
}
