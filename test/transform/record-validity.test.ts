import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecordTransformer } from '../../src/transform/record-transformer.ts';
import { objectText, valueText } from './helpers/json-text.ts';
import { OPTIONS, transformRecord, transformText } from './helpers/transform-text.ts';

const transformer = new RecordTransformer(OPTIONS);
const roomy = new RecordTransformer({ ...OPTIONS, maxRecordBytes: 1 << 24 });

/** What JSON.parse says of a text: the reasons that the transformer must give, null when it is fine. */
function expectedReason(text: string): string | null {
  if (/^[ \t\n\r]*$/.test(text)) return 'empty';
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? null : 'not_object';
  } catch {
    return 'not_json';
  }
}

function assertSameVerdict(text: string): void {
  assert.equal(
    transformRecord(transformer, { value: text }).reason,
    expectedReason(text),
    JSON.stringify(text),
  );
}

const DAMAGE = [
  '',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '0',
  '-',
  '.',
  'e',
  '+',
  'n',
  ' ',
  '\n',
  '\u0001',
  '\u00a0',
  '\\u12',
  'true',
  '//',
];

describe('validity', () => {
  it('agrees with JSON.parse on damaged records', () => {
    const damaged = fc
      .tuple(objectText, fc.nat(), fc.nat({ max: 3 }), fc.constantFrom(...DAMAGE))
      .map(([text, at, removed, added]) => {
        const start = at % (text.length + 1);
        return `${text.slice(0, start)}${added}${text.slice(start + removed)}`.toWellFormed();
      });
    fc.assert(fc.property(damaged, assertSameVerdict), { numRuns: 10_000 });
  });

  it('agrees with JSON.parse on any value', () => {
    fc.assert(
      fc.property(valueText, (text) => assertSameVerdict(text.toWellFormed())),
      { numRuns: 2000 },
    );
  });

  it('agrees with JSON.parse on hard cases', () => {
    const cases = [
      '',
      ' ',
      '{',
      '}',
      '{}',
      ' {} ',
      '{}x',
      '{} {}',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{,}',
      '{"a":1 "b":2}',
      '{a:1}',
      "{'a':1}",
      '{"a":01}',
      '{"a":-}',
      '{"a":1.}',
      '{"a":.5}',
      '{"a":1e}',
      '{"a":1e+}',
      '{"a":+1}',
      '{"a":0x1}',
      '{"a":NaN}',
      '{"a":Infinity}',
      '{"a":tru}',
      '{"a":nulll}',
      '{"a":"\\x"}',
      '{"a":"\\u12g4"}',
      '{"a":"\t"}',
      '{"a":"\u0000"}',
      '{"a":"',
      '{"a":"\\',
      '{"a":[1,]}',
      '{"a":[,1]}',
      '{"a":[1 2]}',
      '{"a":[}',
      '{"a":{]}',
      '{"a":[]]}',
      '[{}]',
      '"x"',
      '1',
      'null',
      '[1',
      '{"a":1}\u0000',
      '\u00a0{}',
      '{"a"\u2028:1}',
      '{"a":-0}',
      '{"a":1E+05}',
      '{"":{"":[]}}',
      '{"\\u0061":1}',
      '{"a":"\\ud800"}',
      '{"a":[[],{},[{}]]}',
    ];
    for (const text of cases) assertSameVerdict(text);
  });
});

describe('poison', () => {
  const depth = (levels: number): string => `${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}`;

  it('stops at the depth limit, by a counter', () => {
    assert.equal(transformText(depth(OPTIONS.maxDepth)).outcome, 0);
    assert.equal(transformText(depth(OPTIONS.maxDepth + 1)).reason, 'too_deep');
    assert.equal(transformRecord(roomy, { value: depth(200_000) }).reason, 'too_deep');
    assert.equal(transformText(`{"a":${'['.repeat(200_000)}`).reason, 'too_deep');
  });

  it('keeps a too deep record whole in quarantine', () => {
    const text = depth(200_000);
    const { line } = transformRecord(roomy, { value: text });
    assert.equal((JSON.parse(line) as { raw: string }).raw, text);
  });

  it('rejects what is not UTF-8, whole and as base64', () => {
    const bad = [
      '80',
      'c080',
      'c3',
      'e28028',
      'eda080',
      'edbfbf',
      'f08080af',
      'f4908080',
      'f5808080',
      'ff',
      'f09f98',
    ];
    for (const hex of bad) {
      const value = Buffer.concat([Buffer.from('{"message":"a'), Buffer.from(hex, 'hex'), Buffer.from('"}')]);
      const { reason, line } = transformText(value);
      assert.equal(reason, 'invalid_utf8', hex);
      const { raw, raw_encoding: encoding } = JSON.parse(line) as { raw: string; raw_encoding: string };
      assert.equal(encoding, 'base64');
      assert.deepEqual(Buffer.from(raw, 'base64'), value);
    }
    assert.equal(transformText(Buffer.from('{"a": nope \xff', 'latin1')).reason, 'invalid_utf8');
  });

  it('accepts every UTF-8 length at its bounds', () => {
    for (const character of [
      '\u0080',
      '\u07ff',
      '\u0800',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '\u{10ffff}',
    ]) {
      const { line } = transformText(JSON.stringify({ message: character }));
      assert.equal((JSON.parse(line) as { message: string }).message, character);
    }
  });

  it('skips a byte order mark', () => {
    assert.equal(transformText('\ufeff{"message":"x"}').line.includes('"message":"x"'), true);
    assert.equal(transformText('\ufeff').reason, 'empty');
  });

  it('keeps lone surrogate escapes, huge numbers and NUL escapes as they are', () => {
    const { line } = transformText('{"message":"\\ud800\\u0000","n":1e400,"m":-1E-400}');
    assert.match(line, /"message":"\\ud800\\u0000","extra":\{"n":1e400,"m":-1E-400\}\}$/);
  });

  it('measures the limit of size in bytes', () => {
    const value = `{"message":"${'x'.repeat(OPTIONS.maxRecordBytes)}"}`;
    assert.equal(transformText(value).reason, 'too_large');
    const fitting = `{"message":"${'x'.repeat(OPTIONS.maxRecordBytes - 14)}"}`;
    assert.equal(fitting.length, OPTIONS.maxRecordBytes);
    assert.equal(transformText(fitting).outcome, 0);
  });

  it('takes a record of very many distinct keys', () => {
    const entries = Array.from({ length: 20_000 }, (_, i) => `"key${i}":{"in${i}":${i}}`);
    const { line } = transformRecord(transformer, {
      value: `{${entries.join(',')},"Msg":"late","LEVELNAME":"Warning"}`,
    });
    const record = JSON.parse(line) as { message: string; level: string; extra: object };
    assert.equal(record.message, 'late');
    assert.equal(record.level, 'WARN');
    assert.equal(Object.keys(record.extra).length, 20_001);
  });

  it('takes no time that grows faster than the record', () => {
    const nested = `{"record":${'{"record":'.repeat(60)}1${'}'.repeat(60)},"pad":"${'x'.repeat(900_000)}"}`;
    const wide = `{"spans":[${Array.from({ length: 60_000 }, () => '{"a":1}').join(',')}]}`;
    const start = performance.now();
    for (const value of [nested, wide]) assert.equal(transformRecord(transformer, { value }).outcome, 0);
    assert.ok(performance.now() - start < 1000);
  });
});
