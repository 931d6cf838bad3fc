/** Lines in the shape that the documentation of further libraries and systems shows. */
import { describe } from 'node:test';
import { type LibraryLine, testLibraryLines } from './helpers/library-lines.ts';

const T = '2023-11-14T22:13:20.001Z';
const S = '2023-11-14T22:13:20.000Z';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

const CASES: readonly LibraryLine[] = [
  {
    of: 'Serilog JsonFormatter',
    line: `{"Timestamp":"2023-11-14T23:13:20.0015000+01:00","Level":"Warning","MessageTemplate":"Disk {Pct}","RenderedMessage":"Disk 91","Properties":{"RequestId":"0HM:1","Application":"pay-api"}}`,
    expect: { timestamp: T, level: 'WARN', message: 'Disk 91', request_id: '0HM:1', service: 'pay-api' },
  },
  {
    of: '.NET JsonConsole',
    line: `{"Timestamp":"2023-11-14T22:13:20.0015Z","EventId":0,"LogLevel":"Critical","Category":"Shop.Cart","Message":"gone","State":{"Message":"gone","{OriginalFormat}":"gone"},"Scopes":[{"Message":"x","RequestId":"0HM:2"}]}`,
    expect: { timestamp: T, level: 'FATAL', message: 'gone', request_id: '0HM:2', service: 'unknown' },
  },
  {
    of: 'NLog',
    line: `{ "time": "2023-11-14 22:13:20.0015", "level": "Info", "logger": "Shop", "message": "hi", "properties": { "correlationId": "c-1" } }`,
    expect: { timestamp: T, level: 'INFO', message: 'hi', correlation_id: 'c-1' },
  },
  {
    of: 'log4net JSON',
    line: `{"date":"2023-11-14T22:13:20.0015+00:00","level":"FATAL","appname":"pay-api","logger":"Shop","thread":"1","message":"down","exception":"System.Exception: x"}`,
    expect: { timestamp: T, level: 'FATAL', message: 'down', error_class: 'unknown' },
  },
  {
    of: 'zap with GCP keys',
    line: `{"severity":"ERROR","timestamp":"2023-11-14T22:13:20.001Z","logger":"db","message":"no answer","stacktrace":"main.a\\n\\t/srv/a.go:1"}`,
    expect: { timestamp: T, level: 'ERROR', message: 'no answer' },
  },
  {
    of: 'apex/log',
    line: `{"fields":{"request_id":"r-1","duration":5},"level":"info","timestamp":"2023-11-14T22:13:20.0015Z","message":"upload"}`,
    expect: { timestamp: T, level: 'INFO', message: 'upload', request_id: 'r-1' },
  },
  {
    of: 'charmbracelet/log',
    line: `{"time":"2023/11/14 22:13:20","level":"warn","prefix":"oven","msg":"hot"}`,
    expect: { timestamp: S, level: 'WARN', message: 'hot' },
  },
  {
    of: 'phuslu/log with unix milliseconds',
    line: `{"time":1700000000001,"level":"error","goid":1,"message":"bad"}`,
    expect: { timestamp: T, level: 'ERROR', message: 'bad' },
  },
  {
    of: 'structlog with other keys',
    line: `{"logger":"pay.cart","level":"critical","time":"2023-11-14T22:13:20.001500Z","msg":"stop","exc_info":"Traceback (most recent call last):\\n  File"}`,
    expect: { timestamp: T, level: 'FATAL', message: 'stop', service: 'unknown' },
  },
  {
    of: 'python-json-logger with numbers',
    line: `{"created":1700000000.0015,"levelno":40,"name":"pay.cart","message":"bad"}`,
    expect: { timestamp: T, level: 'ERROR', message: 'bad', service: 'unknown' },
  },
  {
    of: 'CloudWatch event',
    line: `{"id":"3","timestamp":1700000000001,"message":"REPORT","ingestionTime":1700000009999}`,
    expect: { timestamp: T, level: 'INFO', message: 'REPORT' },
  },
  {
    of: 'Azure resource log',
    line: `{"time":"2023-11-14T22:13:20.0015Z","resourceId":"/x","operationName":"Read","level":"Informational","correlationId":"c-2","properties":{"message":"ok"}}`,
    expect: { timestamp: T, level: 'INFO', correlation_id: 'c-2' },
  },
  {
    of: 'PostgreSQL jsonlog',
    line: `{"timestamp":"2023-11-14 22:13:20.001 UTC","pid":5,"error_severity":"ERROR","state_code":"23505","message":"duplicate key value violates unique constraint"}`,
    expect: { timestamp: T, level: 'ERROR', error_class: 'database' },
  },
  {
    of: 'MySQL error log',
    line: `{"prio":2,"err_code":10068,"subsystem":"Server","msg":"CA certificate is self signed","time":"2023-11-14T22:13:20.001500Z","label":"Warning"}`,
    expect: { timestamp: T, level: 'WARN', message: 'CA certificate is self signed' },
  },
  {
    of: 'Quarkus',
    line: `{"timestamp":"2023-11-14T23:13:20.0015+01:00","sequence":3,"loggerName":"org.x","level":"INFO","message":"up","threadName":"main","mdc":{"traceId":"${trace}"},"hostName":"h","processId":1}`,
    expect: { timestamp: T, level: 'INFO', message: 'up', correlation_id: trace },
  },
  {
    of: 'semantic_logger',
    line: `{"host":"h","application":"pay-api","timestamp":"2023-11-14T22:13:20.001500Z","level":"warn","level_index":3,"pid":1,"thread":"1","name":"Cart","message":"slow","payload":{"request_id":"r-2"},"duration_ms":12.5}`,
    expect: { timestamp: T, level: 'WARN', service: 'pay-api', request_id: 'r-2' },
  },
  {
    of: 'lograge',
    line: `{"method":"GET","path":"/","status":200,"duration":5.1,"@timestamp":"2023-11-14T22:13:20.001Z","@version":"1","message":"[200] GET /"}`,
    expect: { timestamp: T, level: 'INFO', message: '[200] GET /' },
  },
  {
    of: 'logger_json of Elixir',
    line: `{"message":"hello","metadata":{"request_id":"r-3"},"severity":"notice","time":"2023-11-14T22:13:20.001Z"}`,
    expect: { timestamp: T, level: 'INFO', request_id: 'r-3' },
  },
  {
    of: 'Datadog agent fields',
    line: `{"timestamp":1700000000001,"status":"error","service":"pay-api","message":"x","dd.trace_id":"123456","dd":{"span_id":"1"}}`,
    expect: { timestamp: T, level: 'ERROR', service: 'pay-api', correlation_id: '123456' },
  },
  {
    of: 'Envoy access log',
    line: `{"start_time":"2023-11-14T22:13:20.001Z","method":"GET","response_code":200,"duration":12,"x-request-id":"r-4","traceparent":"00-${trace}-00f067aa0ba902b7-01"}`,
    expect: { timestamp: T, level: 'INFO', request_id: 'r-4', correlation_id: trace },
  },
  {
    of: 'Cloudflare',
    line: `{"EdgeStartTimestamp":1700000000001500000,"RayID":"8a1","ClientIP":"203.0.113.7"}`,
    expect: { timestamp: T, request_id: '8a1' },
  },
  {
    of: 'Apache access log as JSON',
    line: `{"time":"14/Nov/2023:23:13:20 +0100","remoteIP":"127.0.0.1","status":"200"}`,
    expect: { timestamp: S },
  },
  {
    of: 'OpenTelemetry record by itself',
    line: `{"timeUnixNano":"1700000000001500000","severityNumber":17,"body":{"stringValue":"bad"},"attributes":[{"key":"request_id","value":{"stringValue":"r-5"}}],"traceId":"${trace}","resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pay-api"}}]}}`,
    expect: {
      timestamp: T,
      level: 'ERROR',
      message: 'bad',
      request_id: 'r-5',
      correlation_id: trace,
      service: 'pay-api',
    },
  },
  {
    of: 'OpenTelemetry console exporter of JavaScript',
    line: `{"resource":{"attributes":{"service.name":"pay-api"}},"timestamp":1700000000001500,"severityText":"WARN","severityNumber":13,"body":"slow","attributes":{"correlation.id":"c-3"}}`,
    expect: { timestamp: T, level: 'WARN', message: 'slow', service: 'pay-api', correlation_id: 'c-3' },
  },
  {
    of: 'bunyan without host',
    line: `{"name":"pay-api","level":40,"msg":"hot","time":1700000000001,"v":0}`,
    expect: { timestamp: T, level: 'WARN', service: 'pay-api' },
  },
  {
    of: 'MongoDB with a long date',
    line: `{"t":{"$date":{"$numberLong":"1700000000001"}},"s":"W","c":"NETWORK","msg":"slow"}`,
    expect: { timestamp: T, level: 'WARN', message: 'slow' },
  },
  {
    of: 'winston with colours',
    line: `{"level":"\\u001b[33mwarn\\u001b[39m","message":"hot","timestamp":"2023-11-14 22:13:20.001"}`,
    expect: { timestamp: T, level: 'WARN' },
  },
  {
    of: 'Kubernetes audit',
    line: `{"kind":"Event","level":"Metadata","auditID":"a-1","stage":"ResponseComplete","requestReceivedTimestamp":"2023-11-14T22:13:20.001500Z"}`,
    expect: { timestamp: T, level: 'INFO', request_id: 'a-1' },
  },
];

describe('other libraries', () => {
  testLibraryLines(CASES);
});
