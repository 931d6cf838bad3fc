import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OTHER_SERVICES } from '../../src/core/services.ts';
import { RecordTransformer } from '../../src/transform/record-transformer.ts';
import { KAFKA_TIMESTAMP, OPTIONS, transformRecord, transformText } from './helpers/transform-text.ts';

describe('quarantine line', () => {
  it('holds everything about the record', () => {
    const { line, outcome } = transformText('{"a":\u2028 nope', {
      key: 'k"1',
      headers: [
        ['__proto__', 'x'],
        ['trace', Buffer.from([0xff, 0x00])],
        ['none', null],
        ['trace', 'again'],
      ],
    });
    assert.equal(outcome, 2);
    assert.deepEqual(JSON.parse(line), {
      reason: 'not_json',
      detail: 'unexpected 0xe2 at byte 5',
      topic: 'logs',
      partition: 3,
      offset: 42,
      key: 'k"1',
      headers: [
        { name: '__proto__', value: 'x' },
        { name: 'trace', value: '/wA=', value_encoding: 'base64' },
        { name: 'none', value: null },
        { name: 'trace', value: 'again' },
      ],
      timestamp: new Date(KAFKA_TIMESTAMP).toISOString(),
      raw: '{"a":\u2028 nope',
    });
    assert.doesNotMatch(line, /[\n\u2028\u2029\u0085]/);
  });

  it('marks base64 and what is missing', () => {
    const { line } = transformText(null, { key: Buffer.from([0xc0]), timestamp: -1 });
    const record = JSON.parse(line) as Record<string, unknown>;
    assert.deepEqual(
      [record['reason'], record['key'], record['key_encoding'], record['timestamp'], record['raw']],
      ['empty', 'wA==', 'base64', null, null],
    );
    assert.equal(JSON.parse(transformText('nope').line).key, null);
  });

  it('says where the text is wrong', () => {
    const detail = (value: string): string =>
      (JSON.parse(transformText(value).line) as { detail: string }).detail;
    assert.equal(detail('{"a":1,}'), "unexpected '}' at byte 7");
    assert.equal(detail('{"a":'), 'the text ends inside the object');
    assert.equal(detail('[1]'), 'the value is JSON but not an object');
  });

  it('reads ten thousand headers once, and bounds their size', () => {
    const headers = Array.from({ length: 10_000 }, (_, i) => [`h${i}`, 'v'] as const);
    const { line } = transformText('nope', { headers });
    assert.equal((JSON.parse(line) as { headers: unknown[] }).headers.length, 10_000);
    const large = Array.from({ length: 40 }, (_, i) => [`h${i}`, 'v'.repeat(100_000)] as const);
    const cut = JSON.parse(transformText('nope', { headers: large }).line) as {
      headers: unknown[];
      headers_omitted: number;
    };
    assert.equal(cut.headers.length + cut.headers_omitted, 40);
    assert.equal(cut.headers.length, 10);
  });
});

describe('minimum level', () => {
  it('filters what is below it', () => {
    const transformer = new RecordTransformer({ ...OPTIONS, minLevel: 'WARN' });
    const outcome = (value: string): number => transformRecord(transformer, { value }).outcome;
    assert.deepEqual(
      ['{"level":"info"}', '{}', '{"level":"warn"}', '{"level":60}', 'x'].map(outcome),
      [1, 1, 0, 0, 2],
    );
  });
});

describe('categories', () => {
  const categories = (value: string): readonly string[] => transformText(value).categories;
  const cases: readonly (readonly [value: string, expected: readonly string[]])[] = [
    ['{"message":"x"}', []],
    ['{"level":"error"}', ['error_logs']],
    ['{"level":"warn","err":{"message":"x"}}', ['error_logs']],
    ['{"level":"info","err":null,"error":{},"exception":""}', []],
    ['{"level":"info","error_code":5}', []],
    ['{"responseTime":12.5}', ['performance_logs']],
    ['{"http":{"duration_ms":3}}', ['performance_logs']],
    ['{"job-duration-ms":3}', ['performance_logs']],
    ['{"job_duration_ms":"3"}', []],
    ['{"latency":null}', []],
    ['{"type":"AUDIT"}', ['audit_logs']],
    ['{"event":{"event_type":"login_failed"}}', ['audit_logs']],
    ['{"audit":true,"level":"fatal","elapsed":1}', ['error_logs', 'performance_logs', 'audit_logs']],
    ['{"a":{"b":{"duration":1}}}', []],
  ];
  for (const [value, expected] of cases) {
    it(value, () => assert.deepEqual(categories(value), expected));
  }
});

describe('error class', () => {
  const cases: readonly (readonly [fields: object, expected: string | undefined])[] = [
    [{ level: 'error', message: 'database connection timeout' }, 'timeout'],
    [{ level: 'error', message: 'deadlock found' }, 'database'],
    [{ level: 'error', err: { code: 'ECONNREFUSED', message: 'connect' } }, 'network'],
    [{ level: 'fatal', msg: 'OOM killer' }, 'memory'],
    [{ level: 'error', msg: 'no room left in the zoom call' }, 'unknown'],
    [{ level: 'error', msg: '401 Unauthorized' }, 'auth'],
    [{ level: 'error', stack: 'ValidationError: x\n    at a' }, 'validation'],
    [{ level: 'error', msg: 'Bad Gateway' }, 'dependency'],
    [{ level: 'error', error: "ENOENT: no such file or directory, open '/x'" }, 'io'],
    [
      {
        level: 'info',
        exc_info: `Traceback (most recent call last):\n${'  File "x"\n'.repeat(200)}MemoryError`,
      },
      'memory',
    ],
    [{ level: 'info', msg: 'timeout' }, undefined],
    [{ level: 'info', stack: 'production' }, undefined],
    [{ level: 'error', error_class: 'auth', message: 'timeout' }, 'auth'],
    [{ level: 'error', error_class: 'odd', message: 'x' }, 'unknown'],
  ];
  for (const [fields, expected] of cases) {
    it(JSON.stringify(fields).slice(0, 90), () => {
      assert.equal(
        (JSON.parse(transformText(JSON.stringify(fields)).line) as { error_class?: string }).error_class,
        expected,
      );
    });
  }
});

describe('names of services', () => {
  it('are bounded in counts and never in lines', () => {
    const transformer = new RecordTransformer(OPTIONS);
    let last = '';
    for (let i = 0; i < 12_000; i++) {
      const result = transformRecord(transformer, { value: `{"service":"s${i}"}` });
      assert.match(result.line, new RegExp(`"service":"s${i}"`));
      last = result.service;
    }
    assert.equal(last, OTHER_SERVICES);
    assert.equal(transformRecord(transformer, { value: '{"service":"s5"}' }).service, 's5');
  });
});
