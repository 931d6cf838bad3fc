/** Record batches that a hostile or broken producer can send, and what has to become of each. */
import type { QuarantineReason } from '../../../src/core/quarantine.ts';
import { buildRecordBatch, type TestRecord } from '../../helpers/record-batch-builder.ts';

export interface Poison {
  readonly name: string;
  readonly batch: Buffer;
  readonly records: number;
  readonly outcome: 'stored' | QuarantineReason;
}

const MIB = 1024 * 1024;
/** `transform.max_record_bytes` and `transform.max_decompressed_bytes` by default. */
const LARGEST_RECORD = 8 * MIB;
const LARGEST_BATCH = 64 * MIB;

const headers = Array.from({ length: 10_000 }, (_, index) => [`h${index}`, 'v'] as const);
const proto = [
  ['__proto__', 'x'],
  ['constructor', 'y'],
] as const;

/** A record of exactly `bytes` bytes. */
function sized(bytes: number): string {
  const frame = '{"message":"large","pad":""}';
  return frame.replace('""', `"${'y'.repeat(bytes - frame.length)}"`);
}

function nested(open: string, close: string): string {
  return open.repeat(200_000) + close.repeat(200_000);
}

function single(name: string, outcome: Poison['outcome'], record: TestRecord): Poison {
  return { name, outcome, records: 1, batch: buildRecordBatch({ codec: 'gzip', records: [record] }) };
}

function bomb(codec: 'gzip' | 'snappy' | 'lz4' | 'zstd'): Poison {
  const records = [{ value: Buffer.alloc(LARGEST_BATCH + MIB, 0x20) }];
  return {
    name: `a bomb of ${codec}`,
    outcome: 'decompression_limit',
    records: 1,
    batch: buildRecordBatch({ codec, records }),
  };
}

/** All that a broker accepts. */
export function poisons(): Poison[] {
  const many = Array.from({ length: 130_000 }, () => ({ value: '{"message":"one of many"}' }));
  return [
    single('10,000 headers', 'stored', { value: '{"message":"x"}', headers }),
    single('10,000 headers of no JSON', 'not_json', { value: 'x', headers }),
    single('__proto__ keys', 'stored', { value: '{"__proto__":{"x":1},"constructor":2,"message":"x"}' }),
    single('__proto__ headers', 'stored', { value: '{"message":"x"}', headers: proto }),
    single('__proto__ headers of no JSON', 'not_json', { value: 'x', headers: proto }),
    single('an array', 'not_object', { value: '[1,2]' }),
    single('null', 'empty', { value: null }),
    single('invalid UTF-8', 'invalid_utf8', { value: Buffer.from('{"a":"\xff\xfe"}', 'latin1') }),
    single('deep arrays', 'too_deep', { value: nested('[', ']') }),
    single('deep objects', 'too_deep', { value: nested('{"b":', '}').replace('}', '1}') }),
    single('deep and cut off', 'too_deep', { value: '['.repeat(200_000) }),
    single('raw newlines and line separators', 'stored', {
      value: '{"message":\n"split","u":"a\u2028b\u2029c\u0085d"\r\n}',
    }),
    single('the largest record', 'stored', { value: sized(LARGEST_RECORD) }),
    single('one byte more', 'too_large', { value: sized(LARGEST_RECORD + 1) }),
    single('control characters', 'too_large', { value: `語${'\u0001'.repeat(60_000_000)}` }),
    single('a large key', 'not_json', { value: 'x', key: Buffer.alloc(30_000_000, 1) }),
    {
      name: '130,000 records in one batch',
      outcome: 'stored',
      records: many.length,
      batch: buildRecordBatch({ codec: 'gzip', records: many }),
    },
    ...(['gzip', 'snappy', 'lz4', 'zstd'] as const).map(bomb),
  ];
}
