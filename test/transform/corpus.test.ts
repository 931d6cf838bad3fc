import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { RecordTransformer } from '../../src/transform/record-transformer.ts';
import { OPTIONS, type Transformed, transformRecord } from './helpers/transform-text.ts';

const CORPUS = new URL('../fixtures/corpus/', import.meta.url);
const LINES_IN_CORPUS = 1059;

interface Expected {
  readonly timestamp_ms: number | null;
  readonly timestamp_alt_ms?: number;
  readonly timestamp_tol_ms?: number;
  readonly level: string | null;
  readonly level_alt?: readonly (string | null)[];
  readonly message: string | null;
  readonly message_alt?: string | readonly (string | null)[] | null;
  readonly message_match?: 'prefix';
  readonly service: string | null;
  readonly service_alt?: string | readonly string[];
  readonly correlation_id: string | null;
  readonly correlation_alt?: string | null;
  readonly alt_correlation_id?: string;
  readonly request_id: string | null;
  readonly alt_request_id?: string;
  readonly has_error: boolean;
  readonly has_error_alt?: boolean;
  readonly nested_optional?: boolean;
  readonly case: string;
}

function linesOf(path: string): string[] {
  return readFileSync(new URL(path, CORPUS), 'utf8').trimEnd().split('\n');
}

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Every difference between the stored record and what the library was told to log. */
function differences(expected: Expected, actual: Transformed): string[] {
  const record = JSON.parse(actual.line) as Record<string, unknown>;
  const found: string[] = [];
  const check = (field: string, value: unknown, accepted: readonly unknown[]): void => {
    if (!accepted.includes(value))
      found.push(`${field} is ${JSON.stringify(value)}, not ${JSON.stringify(accepted)}`);
  };
  const { timestamp_alt_ms: altMs, timestamp_tol_ms: tolerance = 0 } = expected;
  if (expected.timestamp_ms === null) check('missing timestamp', actual.missingTimestamp, [true]);
  else {
    const off = Math.min(
      ...[expected.timestamp_ms, altMs ?? expected.timestamp_ms].map((ms) =>
        Math.abs(ms - actual.timestampMs),
      ),
    );
    if (off > tolerance) found.push(`timestamp is ${actual.timestampMs}, not ${expected.timestamp_ms}`);
    check('missing timestamp', actual.missingTimestamp, [false]);
  }
  check('timestamp', record['timestamp'], [new Date(actual.timestampMs).toISOString()]);
  check('level', actual.unknownLevel ? null : record['level'], [
    expected.level,
    ...(expected.level_alt ?? []),
  ]);
  if (actual.unknownLevel) check('level', record['level'], ['INFO']);
  const message = record['message'] ?? null;
  const messages = [expected.message === '' ? null : expected.message, ...listOf(expected.message_alt ?? [])];
  const isPrefixed =
    expected.message_match === 'prefix' && String(message).startsWith(expected.message ?? '');
  if (!isPrefixed && expected.nested_optional !== true) check('message', message, messages);
  check('service', record['service'], [expected.service ?? 'unknown', ...listOf(expected.service_alt ?? [])]);
  const correlations = [expected.correlation_id, expected.correlation_alt, expected.alt_correlation_id];
  check(
    'correlation_id',
    record['correlation_id'] ?? null,
    correlations.filter((id) => id !== undefined),
  );
  const requests = [expected.request_id, expected.alt_request_id].filter((id) => id !== undefined);
  if (expected.nested_optional !== true) check('request_id', record['request_id'] ?? null, requests);
  const flags = [
    expected.has_error,
    ...(expected.has_error_alt === undefined ? [] : [expected.has_error_alt]),
  ];
  if (expected.nested_optional !== true) {
    check('error_class present', 'error_class' in record, flags);
    check('in error_logs', actual.categories.includes('error_logs'), flags);
  }
  return found;
}

describe('corpus of logging libraries', () => {
  const transformer = new RecordTransformer(OPTIONS);
  let checked = 0;
  for (const file of readdirSync(new URL('lines/', CORPUS)).sort()) {
    it(file, () => {
      const expectations = linesOf(`expected/${file}`);
      const problems: string[] = [];
      for (const [index, value] of linesOf(`lines/${file}`).entries()) {
        const expected = JSON.parse(expectations[index] ?? 'null') as Expected;
        const actual = transformRecord(transformer, { value });
        if (actual.outcome === 0) {
          for (const problem of differences(expected, actual))
            problems.push(`line ${index + 1} (${expected.case}): ${problem}`);
        } else problems.push(`line ${index + 1} was not written`);
        checked++;
      }
      assert.deepEqual(problems, []);
    });
  }

  it('was checked whole', () => assert.equal(checked, LINES_IN_CORPUS));
});
