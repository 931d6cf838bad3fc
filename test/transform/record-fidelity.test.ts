import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecordTransformer } from '../../src/transform/record-transformer.ts';
import { objectText } from './helpers/json-text.ts';
import { onOneLine, type RawMember, rawMembers } from './helpers/raw-json.ts';
import { OPTIONS, type Transformed, transformRecord } from './helpers/transform-text.ts';

const RUNS = { numRuns: 3000 };
const FIELDS = [
  'timestamp',
  'service',
  'level',
  'message',
  'correlation_id',
  'request_id',
  'error_class',
  'extra',
];
const CANONICAL = FIELDS.slice(0, -1);
/** Every character at which some program ends a line. */
const LINE_ENDS = /[\n\r\v\f\u0085\u2028\u2029]/;

const transformer = new RecordTransformer(OPTIONS);
const transform = (value: string): Transformed => transformRecord(transformer, { value });

/** Whether leaving `member` out loses nothing, because a canonical field says the same. */
function isRepeated(member: RawMember, record: Record<string, unknown>): boolean {
  const value = JSON.parse(member.value) as unknown;
  if (typeof value !== 'string') return false;
  return CANONICAL.some(
    (field) => record[field] === value || (field === 'level' && record[field] === value.toUpperCase()),
  );
}

/** Members that `extra` should hold, given those it holds: all of the record but repeated ones, in order. */
function assertNothingLost(input: string, line: string): void {
  const record = JSON.parse(line) as Record<string, unknown>;
  const sent = rawMembers(input).map(({ key, value }) => ({ key: onOneLine(key), value: onOneLine(value) }));
  const extraText = rawMembers(line).find(({ key }) => key === '"extra"')?.value;
  let kept = extraText === undefined ? [] : rawMembers(extraText);
  const left = sent.filter((member) => !isRepeated(member, record));
  const [only] = left;
  if (left.length === 1 && only !== undefined && JSON.parse(only.key) === 'extra' && only.value === extraText)
    return;
  for (const member of sent) {
    const [next] = kept;
    if (next !== undefined && next.key === member.key && next.value === member.value) kept = kept.slice(1);
    else assert.ok(isRepeated(member, record), `${member.key}:${member.value} is lost`);
  }
  assert.deepEqual(kept, [], 'extra holds what the producer did not send there');
}

describe('any record', () => {
  it('becomes one line of valid JSON with our fields in our order', () => {
    fc.assert(
      fc.property(objectText, (text) => {
        const { outcome, line } = transform(text);
        assert.equal(outcome, 0);
        assert.doesNotMatch(line, LINE_ENDS);
        const keys = rawMembers(line).map(({ key }) => JSON.parse(key) as string);
        assert.deepEqual(
          keys,
          FIELDS.filter((field) => keys.includes(field)),
        );
        assert.ok(['timestamp', 'service', 'level'].every((field) => keys.includes(field)));
        const record = JSON.parse(line) as Record<string, unknown>;
        assert.ok(
          CANONICAL.every((field) => record[field] === undefined || typeof record[field] === 'string'),
        );
      }),
      RUNS,
    );
  });

  it('keeps every other field with its text and its place', () => {
    fc.assert(
      fc.property(objectText, (text) => assertNothingLost(text, transform(text).line)),
      RUNS,
    );
  });

  it('is its own result when it is stored and read again', () => {
    fc.assert(
      fc.property(objectText, (text) => {
        const first = transform(text);
        const second = transform(first.line);
        assert.equal(second.line, first.line);
        assert.equal(second.levelRank, first.levelRank);
        assert.equal(second.timestampMs, first.timestampMs);
      }),
      RUNS,
    );
  });

  it('gives the same line whatever was read before', () => {
    fc.assert(
      fc.property(objectText, (text) => {
        const fresh = new RecordTransformer(OPTIONS);
        assert.deepEqual(transformRecord(fresh, { value: text }), transform(text));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the checks above', () => {
  const line = '{"timestamp":"2026-11-23T09:00:00.123Z","service":"s","level":"INFO","extra":{"a":1.0}}';

  it('notice a lost, an altered and a moved field', () => {
    assert.doesNotThrow(() => assertNothingLost('{"service":"s","a":1.0}', line));
    assert.throws(() => assertNothingLost('{"service":"s","a":1.0,"b":2}', line), /"b":2 is lost/);
    assert.throws(() => assertNothingLost('{"service":"s","a":1}', line), /"a":1 is lost/);
    assert.throws(() => assertNothingLost('{"service":"s"}', line), /did not send/);
  });
});
