/** Lines that Node and Python libraries print at settings other than their defaults. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LibraryLine, testLibraryLines } from './helpers/library-lines.ts';
import { storedRecord } from './helpers/transform-text.ts';

const T = '2023-11-14T22:13:20.001Z';
const S = '2023-11-14T22:13:20.000Z';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

const LIBRARIES: readonly LibraryLine[] = [
  {
    of: 'pino with levels above its own',
    line: `{"level":80,"time":1700000000001,"pid":1,"hostname":"h","msg":"down"}`,
    expect: { timestamp: T, level: 'FATAL', message: 'down' },
  },
  {
    of: 'pino for Google Cloud',
    line: `{"severity":"WARNING","level":40,"timestamp":{"seconds":1700000000,"nanos":1500000},"pid":1,"hostname":"h","trace":"projects/p/traces/${trace}","serviceContext":{"service":"pay-api","version":"1"},"message":"hot"}`,
    expect: { timestamp: T, level: 'WARN', service: 'pay-api', correlation_id: trace, message: 'hot' },
  },
  {
    of: 'a stack trace under `trace`',
    line: `{"level":"error","message":"x","trace":"#0 /srv/app/a.php(1): b()"}`,
    expect: { level: 'ERROR', correlation_id: undefined },
  },
  {
    of: 'winston with format.metadata()',
    line: `{"level":"warn","message":"hot","label":"cart","metadata":{"service":"pay-api","timestamp":"2023-11-14 22:13:20.001","requestId":"r-1"}}`,
    expect: { timestamp: T, level: 'WARN', service: 'pay-api', request_id: 'r-1' },
  },
  {
    of: 'consola error',
    line: `{"date":"2023-11-14T22:13:20.001Z","args":["bad",{"a":1}],"type":"error","level":0,"tag":""}`,
    expect: { timestamp: T, level: 'ERROR', message: 'bad' },
  },
  {
    of: 'consola information',
    line: `{"date":"2023-11-14T22:13:20.001Z","args":["built"],"type":"success","level":3,"tag":"build"}`,
    expect: { level: 'INFO', message: 'built', error_class: undefined },
  },
  {
    of: 'tslog, hidden type with a transport',
    line: `{"0":"bad","1":{"name":"TypeError"},"_logMeta":{"date":"2023-11-14T22:13:20.001Z","logLevelId":5,"logLevelName":"ERROR"}}`,
    expect: { timestamp: T, level: 'ERROR', message: 'bad' },
  },
  {
    of: 'Application Insights envelope',
    line: `{"ver":1,"time":"2023-11-14T22:13:20.001Z","iKey":"k","tags":{"ai.operation.id":"o-1","ai.cloud.role":"pay-api"},"data":{"baseType":"MessageData","baseData":{"ver":2,"message":"slow","severityLevel":2}}}`,
    expect: { timestamp: T, level: 'WARN', message: 'slow', correlation_id: 'o-1', service: 'pay-api' },
  },
  {
    of: 'Application Insights exception',
    line: `{"time":"2023-11-14T22:13:20.001Z","data":{"baseType":"ExceptionData","baseData":{"exceptions":[{"typeName":"TypeError","message":"x"}],"severityLevel":1}}}`,
    expect: { level: 'INFO', error_class: 'validation' },
  },
  {
    of: 'json-logging and SAP Cloud Foundry',
    line: `{"written_at":"2023-11-14T22:13:20.001Z","written_ts":1700000000001500000,"msg":"hot","type":"log","logger":"pay","level":"WARNING"}`,
    expect: { timestamp: T, level: 'WARN', message: 'hot', service: 'unknown' },
  },
  {
    of: 'OpenTelemetry console exporter of Python without a span',
    line: `{"body":"slow","severity_number":13,"severity_text":"WARN","timestamp":"2023-11-14T22:13:20.001500Z","trace_id":"0x00000000000000000000000000000000"}`,
    expect: { timestamp: T, level: 'WARN', message: 'slow', correlation_id: undefined },
  },
  {
    of: 'OpenTelemetry console exporter of Python within a span',
    line: `{"body":"slow","severity_text":"WARN","trace_id":"0x${trace}"}`,
    expect: { correlation_id: `0x${trace}` },
  },
  {
    of: 'python-json-logger with renamed fields',
    line: `{"severity":"WARNING","description":"hot","exceptionInfo":"Traceback (most recent call last):\\nKeyError: 'x'"}`,
    expect: { level: 'WARN', message: 'hot', error_class: 'unknown' },
  },
  {
    of: 'Elastic APM beside Python logging',
    line: `{"levelname":"INFO","message":"x","elasticapm_trace_id":"t-1","elasticapm_service_name":"pay-api"}`,
    expect: { level: 'INFO', correlation_id: 't-1', service: 'pay-api' },
  },
  {
    of: 'Twisted',
    line: `{"log_level":{"name":"warn","__class_uuid__":"u"},"log_time":1700000000.0015,"log_namespace":"app","log_format":"{n} left","n":1}`,
    expect: { timestamp: T, level: 'WARN', message: '{n} left' },
  },
  {
    of: 'ids nested in objects of the application',
    line: `{"level":"info","message":"x","logged_at":"2023-11-14T22:13:20.001Z","correlation":{"id":"c-1"},"req":{"requestId":"r-1"}}`,
    expect: { timestamp: T, correlation_id: 'c-1', request_id: 'r-1' },
  },
  {
    of: 'headers that carry a trace id',
    line: `{"level":"info","message":"x","x-cloud-trace-context":"${trace}/123;o=1"}`,
    expect: { correlation_id: trace },
  },
  {
    of: 'the header of Sentry',
    line: `{"level":"info","message":"x","sentry-trace":"${trace}-00f067aa0ba902b7-1"}`,
    expect: { correlation_id: trace },
  },
];

const TIMESTAMPS: readonly (readonly [text: string, instant: string])[] = [
  ['Tue Nov 14 2023 23:13:20 GMT+0100 (Central European Standard Time)', S],
  ['Nov 14, 2023 10:13:20 PM', S],
  ['Nov-14-2023 22:13:20', S],
  ['14 Nov 2023, 22:13:20', S],
  ['11/14/2023, 10:13:20 PM', S],
  ['11/14/2023, 10:13:20\u202fPM', S],
  ['11/14/2023 10:13:20.001 pm', T],
  ['11/12/2023, 12:13:20 AM', '2023-11-12T00:13:20.000Z'],
  ['11/14/2023 22:13:20.0015', T],
  ['14/11/2023 22:13:20', S],
  ['14-11-2023 22:13:20,001', T],
  ['14.11.2023 22:13:20', S],
  ['04.03.2023 22:13:20', '2023-03-04T22:13:20.000Z'],
  ['04.03.2023 9:13:20', '2023-03-04T09:13:20.000Z'],
  ['2023-11-14 10:13:20.001 PM', T],
];

const UNREADABLE = ['03/04/2023 22:13:20', '03/04/2023, 10:13:20 pm', '31/31/2023 22:13:20', '22:13:20'];

/** The stored timestamp of a record that says `text`. */
function timestampOf(text: string): unknown {
  const { timestamp } = storedRecord(JSON.stringify({ asctime: text, level: 'info', message: 'x' }));
  return timestamp;
}

describe('Node and Python libraries', () => {
  testLibraryLines(LIBRARIES);
});

describe('timestamps as people write them', () => {
  for (const [text, instant] of TIMESTAMPS) {
    it(`reads ${text}`, () => assert.equal(timestampOf(text), instant));
  }
  for (const text of UNREADABLE) {
    it(`leaves ${text} to the time of the message`, () =>
      assert.equal(timestampOf(text), timestampOf('none')));
  }
});
