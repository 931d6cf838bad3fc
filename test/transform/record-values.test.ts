import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecordTransformer } from '../../src/transform/record-transformer.ts';
import {
  KAFKA_TIMESTAMP,
  OPTIONS,
  storedRecord,
  transformRecord,
  transformText,
} from './helpers/transform-text.ts';

const record = (fields: object): Record<string, unknown> => storedRecord(JSON.stringify(fields));

describe('timestamp', () => {
  const readable: readonly (readonly [value: string, iso: string])[] = [
    ['"2026-11-23T09:00:00.123Z"', '2026-11-23T09:00:00.123Z'],
    ['"2024-02-29T23:59:59.9999999Z"', '2024-02-29T23:59:59.999Z'],
    ['"2026-11-23T09:00:00Z"', '2026-11-23T09:00:00.000Z'],
    ['"2026-11-23t09:00:00.5z"', '2026-11-23T09:00:00.500Z'],
    ['"2026-11-23 09:00:00,123"', '2026-11-23T09:00:00.123Z'],
    ['"2026-11-23 09:00:00,123+0530"', '2026-11-23T03:30:00.123Z'],
    ['"2026-11-23T09:00:00.123-05"', '2026-11-23T14:00:00.123Z'],
    ['"2026-01-01T00:00:00+01:00"', '2025-12-31T23:00:00.000Z'],
    ['"2026-11-23T09:00:00.1 UTC"', '2026-11-23T09:00:00.100Z'],
    ['"2026-11-23 09:00:00.0015 +0000 UTC m=+0.000123"', '2026-11-23T09:00:00.001Z'],
    ['"2026-11-23T10:00:00+01:00[Europe/Berlin]"', '2026-11-23T09:00:00.000Z'],
    ['"2026-11-23T09:00"', '2026-11-23T09:00:00.000Z'],
    ['"20261123T090000.123Z"', '2026-11-23T09:00:00.123Z'],
    ['"20261123090000"', '2026-11-23T09:00:00.000Z'],
    ['"2016-12-31T23:59:60Z"', '2016-12-31T23:59:59.999Z'],
    ['"[14/Nov/2023:22:13:20 +0100]"', '2023-11-14T21:13:20.000Z'],
    ['"Tue, 14 Nov 2023 22:13:20 GMT"', '2023-11-14T22:13:20.000Z'],
    ['"Tuesday, 14-Nov-23 22:13:20 UTC"', '2023-11-14T22:13:20.000Z'],
    ['"Tue Nov 14 22:13:20 2023"', '2023-11-14T22:13:20.000Z'],
    ['"Tue Nov 14 22:13:20 -0500 2023"', '2023-11-15T03:13:20.000Z'],
    ['"Nov 14, 2023 22:13:20"', '2023-11-14T22:13:20.000Z'],
    ['"seconds:1700000000 nanos:1500000"', '2023-11-14T22:13:20.001Z'],
    ['"\\/Date(1700000000001)\\/"', '2023-11-14T22:13:20.001Z'],
    ['1700000000', '2023-11-14T22:13:20.000Z'],
    ['1709251199.9999', '2024-02-29T23:59:59.999Z'],
    ['1709251199.999900000', '2024-02-29T23:59:59.999Z'],
    ['1700000000.07', '2023-11-14T22:13:20.070Z'],
    ['1.7000000000015e9', '2023-11-14T22:13:20.001Z'],
    ['1700000000001', '2023-11-14T22:13:20.001Z'],
    ['1700000000001.9998', '2023-11-14T22:13:20.001Z'],
    ['1700000000001999', '2023-11-14T22:13:20.001Z'],
    ['1700000000001999999', '2023-11-14T22:13:20.001Z'],
    ['"1700000000001999999"', '2023-11-14T22:13:20.001Z'],
    ['"1700000000.001"', '2023-11-14T22:13:20.001Z'],
    ['{"epochSecond":1700000000,"nanoOfSecond":1500000}', '2023-11-14T22:13:20.001Z'],
    ['{"seconds":"1700000000","nanos":1999999}', '2023-11-14T22:13:20.001Z'],
    ['{"$date":"2023-11-14T22:13:20.001+00:00"}', '2023-11-14T22:13:20.001Z'],
  ];
  for (const [value, iso] of readable) {
    it(`reads ${value}`, () => {
      const result = transformText(`{"time":${value}}`);
      assert.equal((JSON.parse(result.line) as { timestamp: string }).timestamp, iso);
      assert.equal(result.timestampMs, Date.parse(iso));
      assert.equal(result.missingTimestamp, false);
    });
  }

  const unreadable = [
    '"2026-02-29T00:00:00Z"',
    '"2026-13-01T00:00:00Z"',
    '"2026-00-10T00:00:00Z"',
    '"2026-11-31T00:00:00.000Z"',
    '"2026-11-23T24:00:00Z"',
    '"2026-11-23T09:60:00Z"',
    '"2026-11-23T09:00:61Z"',
    '"2026-11-23"',
    '"2026-11-23T09:00:00.Z"',
    '"2026-11-23T09:00:00+25:00"',
    '"2026-11-23T09:00:00 CET"',
    '"0001-01-01T00:00:00Z"',
    '"1900-02-29T00:00:00Z"',
    '"soon"',
    '""',
    'null',
    'true',
    '[]',
    '{}',
    '0',
    '12.5',
    '-1700000000',
    '1e400',
    '99999999999999999999999',
    '"2026-11-23T09:00:00Zjunk"',
    '"2026-11-23T0a:00:00.000Z"',
    '"Feb 30, 2023 22:13:20"',
  ];
  for (const value of unreadable) {
    it(`takes Kafka's for ${value}`, () => {
      const result = transformText(`{"time":${value}}`);
      assert.equal(result.timestampMs, KAFKA_TIMESTAMP);
      assert.equal(result.missingTimestamp, true);
      const { extra } = JSON.parse(result.line) as { extra: object };
      assert.ok('time' in extra, 'the unreadable value is kept');
    });
  }

  it('takes the next readable field, and the best name of several', () => {
    assert.equal(record({ time: 'soon', ts: 1_700_000_000 })['timestamp'], '2023-11-14T22:13:20.000Z');
    assert.equal(
      record({ ts: 1_600_000_000, timestamp: 1_700_000_000 })['timestamp'],
      '2023-11-14T22:13:20.000Z',
    );
    assert.equal(
      record({ timeUnixNano: '0', observedTimeUnixNano: '1700000000000000000' })['timestamp'],
      '2023-11-14T22:13:20.000Z',
    );
  });

  it('keeps a source that says more than milliseconds in UTC, and only that', () => {
    assert.deepEqual(record({ time: '2026-11-23T09:00:00.123456Z' })['extra'], {
      time: '2026-11-23T09:00:00.123456Z',
    });
    assert.deepEqual(record({ ts: 1_700_000_000_001 })['extra'], { ts: 1_700_000_000_001 });
    assert.equal('extra' in record({ '@timestamp': '2026-11-23T09:00:00.123Z' }), false);
  });

  it('writes every day of a leap year and of the century', () => {
    for (let ms = Date.UTC(2096, 0, 1, 12, 34, 56, 7); ms < Date.UTC(2101, 2, 2); ms += 86_399_999) {
      assert.equal(record({ ts: ms })['timestamp'], new Date(ms).toISOString());
      assert.equal(transformText(JSON.stringify({ ts: new Date(ms).toISOString() })).timestampMs, ms);
    }
  });

  it('is the epoch when Kafka has none either', () => {
    assert.equal(transformText('{}', { timestamp: -1 }).timestampMs, 0);
  });
});

describe('level', () => {
  const levels: Readonly<Record<string, readonly object[]>> = {
    TRACE: [
      { level: 10 },
      { level: 'Verbose' },
      { level: 'silly' },
      { level: 'FINEST' },
      { severityNumber: 4 },
      { level_value: 5000 },
      { level: 'DEBUG-4' },
      { level: 'TRCE' },
    ],
    DEBUG: [
      { level: 20 },
      { level: 7 },
      { lvl: 'dbug' },
      { severity: 100 },
      { levelno: 10 },
      { level: 'FINE' },
      { severity_text: 'DEBUG2' },
      { s: 'D3' },
      { PRIORITY: '7' },
    ],
    INFO: [
      { level: 30 },
      { level: 'Information' },
      { severity: 'NOTICE' },
      { level: 200 },
      { levelno: 25 },
      { severity: 300 },
      { pri: '134' },
      { level: 'http' },
      { level: ' INFO ' },
      { level: 'INFO+2' },
      { level: 35 },
    ],
    WARN: [
      { level: 40 },
      { log: { level: 'Warning' } },
      { 'log.level': 'wrn' },
      { levelname: 'WARNING' },
      { level: 4 },
      { SeverityNumber: 13 },
      { severity: 400 },
      { level: 300 },
      { '@l': 'Warning' },
      { level_value: 30_000 },
    ],
    ERROR: [
      { level: 50 },
      { level: 'err' },
      { level: 'SEVERE' },
      { SEVERITY: 'Error' },
      { level: 3 },
      { severity: 500 },
      { level: 'eror' },
      { LogLevel: 'fail' },
      { level: '[ERROR]' },
      { syslog: { severity: 3 } },
      { level: 400 },
    ],
    FATAL: [
      { level: 60 },
      { level: 'crit' },
      { level: 'emerg' },
      { level: 'panic' },
      { level: 'DPANIC' },
      { severity: 2 },
      { severity: 'ALERT' },
      { level: 550 },
      { severityNumber: 24 },
      { levelno: 50 },
      { level: 'ERROR+4' },
    ],
  };
  for (const [level, examples] of Object.entries(levels)) {
    for (const example of examples) {
      it(`${level} from ${JSON.stringify(example)}`, () => {
        const result = transformText(JSON.stringify(example));
        assert.equal(result.level, level);
        assert.equal(result.unknownLevel, false);
        assert.equal((JSON.parse(result.line) as { level: string }).level, level);
      });
    }
  }

  it('is INFO and counted when unknown or missing, and the source is kept', () => {
    for (const fields of [
      {},
      { level: 'Level 5' },
      { level: 99_999_999 },
      { level: 'MARK' },
      { status: 200 },
      { level: '' },
      { level: {} },
      { severity: 'DEFAULT' },
    ]) {
      const result = transformText(JSON.stringify(fields));
      assert.deepEqual([result.level, result.unknownLevel], ['INFO', true], JSON.stringify(fields));
      assert.deepEqual((JSON.parse(result.line) as { extra?: object }).extra ?? {}, fields);
    }
  });

  it('prefers a name to a number', () => {
    assert.equal(record({ level: 200, level_name: 'ERROR' })['level'], 'ERROR');
    assert.equal(record({ level: 30, levelname: 'WARNING' })['level'], 'WARN');
  });

  it('keeps the source unless it is the same name', () => {
    assert.equal('extra' in record({ level: 'info' }), false);
    assert.deepEqual(record({ level: 'warning' })['extra'], { level: 'warning' });
    assert.deepEqual(record({ level: 30 })['extra'], { level: 30 });
  });
});

describe('service', () => {
  const services: readonly (readonly [fields: object, service: string])[] = [
    [{ service: 'a', 'service.name': 'b' }, 'a'],
    [{ service: { name: 'a', version: '1' } }, 'a'],
    [{ serviceName: 'a' }, 'a'],
    [{ service: '', app: 'b' }, 'b'],
    [{ service: null, 'service.name': 'b' }, 'b'],
    [{ service: '-' }, 'unknown'],
    [{ service: 5 }, 'unknown'],
    [{ logger: 'com.shop.Cart', name: 'pay.cart' }, 'unknown'],
    [{ name: 'a', hostname: 'h', pid: 1 }, 'a'],
    [{ 'syslog-tag': 'nginx[12]:' }, 'nginx'],
    [{ resource: { attributes: { 'service.name': 'a' } } }, 'a'],
  ];
  for (const [fields, service] of services) {
    it(`${service} from ${JSON.stringify(fields)}`, () => {
      const result = transformText(JSON.stringify(fields));
      assert.equal((JSON.parse(result.line) as { service: string }).service, service);
      assert.equal(result.service, service);
    });
  }

  it('comes from the Kafka header when the record has none', () => {
    const service = (headers: [string, string | Buffer | null][], value = '{}'): unknown =>
      storedRecord(value, { headers })['service'];
    assert.equal(
      service([
        ['__proto__', 'x'],
        ['service', 'billing'],
      ]),
      'billing',
    );
    assert.equal(service([['service', 'b"\\\u2028\n']]), 'b"\\\u2028\n');
    assert.equal(service([['service', 'billing']], '{"service":"own"}'), 'own');
    assert.equal(service([['service', null]]), 'unknown');
    assert.equal(service([['service', Buffer.from([0xff])]]), 'unknown');
    assert.equal(service([['Service', 'x']]), 'unknown');
  });

  it("comes from each record's own header", () => {
    const transformer = new RecordTransformer(OPTIONS);
    const names = ['a', 'a', '', 'b', 'a'].map(
      (name) => transformRecord(transformer, { value: '{}', headers: [['service', name]] }).service,
    );
    assert.deepEqual(names, ['a', 'a', 'unknown', 'b', 'a']);
  });

  it('is one in counts however it is spelled', () => {
    assert.equal(transformText('{"service":"p\\u0061y"}').service, 'pay');
  });
});

describe('ids', () => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const cases: readonly (readonly [
    fields: object,
    correlation: string | undefined,
    request: string | undefined,
  ])[] = [
    [{ correlation_id: 'c', trace_id: trace, request_id: 'r' }, 'c', 'r'],
    [{ 'X-Correlation-ID': 'c', 'x-request-id': 'r' }, 'c', 'r'],
    [{ trace: { id: trace }, http: { request: { id: 'r' } } }, trace, 'r'],
    [{ req: { id: 7 } }, undefined, '7'],
    [{ traceparent: `00-${trace}-00f067aa0ba902b7-01` }, trace, undefined],
    [{ 'logging.googleapis.com/trace': `projects/p/traces/${trace}` }, trace, undefined],
    [{ trace_id: '00000000000000000000000000000000', request_id: '' }, undefined, undefined],
    [{ trace_id: '0000', 'uber-trace-id': `${trace}:1:0:1` }, trace, undefined],
    [{ request_id: '-', reqId: 'r' }, undefined, 'r'],
    [{ request_id: null, correlation_id: [] }, undefined, undefined],
    [{ mdc: { requestId: 'r', traceId: trace } }, trace, 'r'],
    [{ context: { request_id: 'inner' }, request_id: 'own' }, undefined, 'own'],
    [{ xrequestidnote: 'none', 'x-request-id-note': 'none' }, undefined, undefined],
  ];
  for (const [fields, correlation, request] of cases) {
    it(JSON.stringify(fields), () => {
      const { correlation_id: actualCorrelation, request_id: actualRequest } = record(fields);
      assert.deepEqual([actualCorrelation, actualRequest], [correlation, request]);
    });
  }

  it('moves plain ids and keeps the source of others', () => {
    assert.equal('extra' in record({ trace_id: trace, reqId: 'r' }), false);
    assert.deepEqual(record({ req: { id: 7 } })['extra'], { req: { id: 7 } });
  });
});

describe('message', () => {
  it('is a text, from an object only when that holds one', () => {
    assert.equal(record({ msg: 'a' })['message'], 'a');
    assert.equal(record({ message: 42 })['message'], '42');
    assert.equal(record({ message: { message: 'a', n: 1 } })['message'], 'a');
    assert.equal(record({ message: { queue: 'mail' } })['message'], undefined);
    assert.deepEqual(record({ message: { queue: 'mail' } })['extra'], { message: { queue: 'mail' } });
    assert.equal(record({ message: ['a', 'b'] })['message'], 'a');
    assert.equal(record({ message: '', event: 'a' })['message'], 'a');
  });

  it('keeps the escapes of the source and splits no line', () => {
    const { line } = transformText('{"msg":"\\u00e9\\/ \\n\u2028\u2029\u0085é"}');
    assert.match(line, /"message":"\\u00e9\\\/ \\n\\u2028\\u2029\\u0085é"/);
  });
});

describe('extra', () => {
  const line = (value: string): string => transformText(value).line.replace(/^.*?"level":"INFO",?/, '{');

  it('keeps everything else as it was written', () => {
    assert.equal(
      line('{"b":1e400,"message":"m","a":[1.0,{"x":-0}],"__proto__":{"y":null}}'),
      '{"message":"m","extra":{"b":1e400,"a":[1.0,{"x":-0}],"__proto__":{"y":null}}}',
    );
  });

  it('is the object called extra when nothing else is left, and holds it beside others', () => {
    assert.equal(line('{"message":"m","extra":{"a":1}}'), '{"message":"m","extra":{"a":1}}');
    assert.equal(
      line('{"message":"m","extra":{"a":1},"b":2}'),
      '{"message":"m","extra":{"extra":{"a":1},"b":2}}',
    );
    assert.equal(line('{"extra":5}'), '{"extra":{"extra":5}}');
    assert.equal(line('{"extra":{},"extra":{}}'), '{"extra":{"extra":{},"extra":{}}}');
  });

  it('keeps the members that lost to another of the same meaning', () => {
    assert.equal(
      line('{"message":"a","msg":"b","message":"c"}'),
      '{"message":"c","extra":{"message":"a","msg":"b"}}',
    );
  });

  it('loses line ends between tokens, not in strings', () => {
    assert.equal(line('{\n\t"a" : [1,\r\n 2] ,\n"b": "x\\n"\n}\n'), '{"extra":{"a" : [1, 2] ,"b": "x\\n"}}');
  });

  it('passes a canonical line through', () => {
    const text =
      '{"timestamp":"2026-11-23T09:00:00.123Z","service":"s","level":"ERROR","message":"m","correlation_id":"c","request_id":"r","error_class":"io","extra":{"a": 1,"extra":{}}}';
    assert.equal(transformText(text).line, text);
  });
});
