/** Lines that libraries at other settings, proxies, databases and cloud platforms print. */
import { describe } from 'node:test';
import { type LibraryLine, testLibraryLines } from './helpers/library-lines.ts';

const CASES: readonly LibraryLine[] = [
  {
    of: 'zap with the keys of its development encoder',
    line: `{"L":"INFO","T":"2023-11-14T22:13:20.001Z","N":"api","C":"a.go:1","M":"up"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'INFO', message: 'up', service: 'unknown' },
  },
  {
    of: 'zap with these keys, an error',
    line: `{"L":"error","T":"2023-11-14T22:13:20.001Z","M":"bad","S":"goroutine 1 [running]"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'ERROR', message: 'bad' },
  },
  {
    of: 'zap for Error Reporting of Google Cloud',
    line: `{"severity":"CRITICAL","eventTime":"2023-11-14T22:13:20.001Z","message":"down","serviceContext":{"service":"pay-api","version":"1"},"context":{"reportLocation":{"filePath":"a.go"}},"labels":{"request_id":"r-1"}}`,
    expect: {
      level: 'FATAL',
      timestamp: '2023-11-14T22:13:20.001Z',
      message: 'down',
      service: 'pay-api',
      request_id: 'r-1',
    },
  },
  {
    of: 'zerolog with other names',
    line: `{"severity":"error","@timestamp":"2023-11-14T22:13:20Z","@message":"bad","exception":"boom","svc":"pay-api"}`,
    expect: {
      timestamp: '2023-11-14T22:13:20.000Z',
      level: 'ERROR',
      message: 'bad',
      service: 'pay-api',
      error_class: 'unknown',
    },
  },
  {
    of: 'zerolog with short names',
    line: `{"l":"warn","t":"2023-11-14T22:13:20.001Z","m":"hot","e":"boom"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'WARN', message: 'hot' },
  },
  {
    of: 'logrus with a DataKey',
    line: `{"data":{"request_id":"r-1","error":"timeout"},"level":"error","msg":"bad","time":"2023-11-14T22:13:20Z"}`,
    expect: { level: 'ERROR', request_id: 'r-1', message: 'bad', error_class: 'timeout' },
  },
  {
    of: 'httplog of chi',
    line: `{"timestamp":"2023-11-14T22:13:20.0015Z","level":"INFO","msg":"Request: GET / => 200","service":"pay-api","httpRequest":{"requestID":"r-1","requestMethod":"GET"},"httpResponse":{"status":200}}`,
    expect: { request_id: 'r-1', service: 'pay-api' },
  },
  {
    of: 'go-zero',
    line: `{"@timestamp":"2023-11-14T22:13:20.001Z","caller":"a.go","content":"hello","level":"info","span":"b7","trace":"4bf92f3577b34da6a3ce929d0e0e4736"}`,
    expect: {
      timestamp: '2023-11-14T22:13:20.001Z',
      message: 'hello',
      correlation_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    },
  },
  {
    of: 'Open Liberty',
    line: `{"type":"liberty_message","host":"h","ibm_userDir":"/","ibm_serverName":"defaultServer","message":"CWWKE","ibm_threadId":"1","ibm_datetime":"2023-11-14T22:13:20.001+0000","ibm_messageId":"CWWKE0001I","module":"x","loglevel":"AUDIT","ibm_sequence":"1"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'INFO', message: 'CWWKE' },
  },
  {
    of: 'java.util.logging with millis only',
    line: `{"millis":1700000000001,"level":"CONFIG","message":"m"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'INFO' },
  },
  {
    of: 'json-subscriber of Rust',
    line: `{"timestamp":"2023-11-14T22:13:20.001500Z","level":"INFO","fields":{"message":"x"},"openTelemetry":{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"1"}}`,
    expect: { message: 'x', correlation_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
  },
  {
    of: 'structured log crate of Rust',
    line: `{"level":"WARN","ts":1700000000.001,"message":"x","kv":{"request_id":"r-1"}}`,
    expect: { request_id: 'r-1' },
  },
  {
    of: 'logforth',
    line: `{"timestamp":"2023-11-14T22:13:20.001500Z[UTC]","level":"ERROR","target":"a","message":"x","kvs":{"request_id":"r-1"},"diags":{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}}`,
    expect: {
      timestamp: '2023-11-14T22:13:20.001Z',
      request_id: 'r-1',
      correlation_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    },
  },
  {
    of: 'Serilog for Elasticsearch with exceptions',
    line: `{"@timestamp":"2023-11-14T22:13:20.0015000+00:00","level":"Information","message":"bad 1","exceptions":[{"Depth":0,"ClassName":"System.X","Message":"boom"}]}`,
    expect: { error_class: 'unknown' },
  },
  {
    of: 'NLog with longdate',
    line: `{ "longdate": "2023-11-14 22:13:20.0015", "level": "FATAL", "callsite": "A.B", "message": "down", "exception": "" }`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'FATAL' },
  },
  {
    of: 'NLog with eventProperties',
    line: `{"@timestamp":"2023-11-14T22:13:20.0015Z","level":"Trace","eventProperties":{"RequestId":"r-1"},"message":"x"}`,
    expect: { request_id: 'r-1', level: 'TRACE' },
  },
  {
    of: 'PHP DateTime as an object',
    line: `{"message":"bad","context":[],"level":300,"level_name":"WARNING","channel":"app","datetime":{"date":"2023-11-14 22:13:20.001500","timezone_type":3,"timezone":"UTC"},"extra":[]}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'WARN' },
  },
  {
    of: 'semantic_logger with named tags',
    line: `{"host":"h","application":"pay-api","environment":"prod","timestamp":"2023-11-14T22:13:20.001500Z","level":"error","level_index":4,"pid":1,"name":"Cart","named_tags":{"request_id":"r-1"},"message":"bad","exception":{"name":"X","message":"boom","stack_trace":[]}}`,
    expect: { request_id: 'r-1', level: 'ERROR' },
  },
  {
    of: 'Apache with its unique id',
    line: `{"@timestamp":"2023-11-14T22:13:20+0000","unique_id":"ZVP","status":200}`,
    expect: { timestamp: '2023-11-14T22:13:20.000Z', request_id: 'ZVP' },
  },
  {
    of: 'HAProxy',
    line: `{"time":"14/Nov/2023:22:13:20.001","frontend":"f","backend":"b","status":200,"unique_id":"u-1","pid":1}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', request_id: 'u-1' },
  },
  {
    of: 'MongoDB with a cluster role',
    line: `{"t":{"$date":"2023-11-14T23:13:20.001+01:00"},"s":"I","c":"NETWORK","id":1,"svc":"S","ctx":"conn1","msg":"m","attr":{"error":"timeout"}}`,
    expect: { level: 'INFO', service: 'unknown' },
  },
  {
    of: 'Kubernetes event',
    line: `{"kind":"Event","metadata":{"name":"x","creationTimestamp":"2023-11-14T22:13:20Z"},"reason":"BackOff","message":"Back-off","type":"Warning","lastTimestamp":"2023-11-14T22:13:20Z","eventTime":null}`,
    expect: { timestamp: '2023-11-14T22:13:20.000Z', message: 'Back-off' },
  },
  {
    of: 'Fluent Bit with a Merge_Log_Key',
    line: String.raw`{"date":1700000000.0015,"log":"{\"level\":\"error\"}\n","log_processed":{"level":"error","message":"bad","request_id":"r-1"},"kubernetes":{"container_name":"pay-api"}}`,
    expect: { level: 'ERROR', message: 'bad', request_id: 'r-1', timestamp: '2023-11-14T22:13:20.001Z' },
  },
  {
    of: 'Fluent Bit with a syslog parser',
    line: `{"pri":"11","time":"2023-11-14T22:13:20.001Z","host":"h","ident":"pay-api","pid":"1","message":"bad"}`,
    expect: { level: 'ERROR', service: 'pay-api' },
  },
  {
    of: 'Cloudflare Workers',
    line: `{"EventTimestampMs":1700000000001,"Event":{"RayID":"8a1","Request":{}},"Outcome":"exception","ScriptName":"pay","Exceptions":[{"Name":"Error","Message":"boom"}],"Logs":[]}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', request_id: '8a1', error_class: 'unknown' },
  },
  {
    of: 'AWS API Gateway',
    line: `{"requestId":"r-1","ip":"1","requestTime":"14/Nov/2023:22:13:20 +0000","httpMethod":"GET","status":"200"}`,
    expect: { timestamp: '2023-11-14T22:13:20.000Z', request_id: 'r-1' },
  },
  {
    of: 'AWS API Gateway with epoch',
    line: `{"requestId":"r-1","requestTimeEpoch":1700000000001,"extendedRequestId":"x","xrayTraceId":"1-5"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', request_id: 'r-1', correlation_id: '1-5' },
  },
  {
    of: 'AWS WAF',
    line: `{"timestamp":1700000000001,"formatVersion":1,"action":"BLOCK","httpRequest":{"clientIp":"1","requestId":"r-1"}}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', request_id: 'r-1' },
  },
  {
    of: 'Azure resource log of a failure',
    line: `{"time":"2023-11-14T22:13:20.0015Z","resourceId":"/x","category":"AppServiceHTTPLogs","operationName":"x","level":"Error","resultType":"Failure","resultDescription":"no answer","correlationId":"c-1","properties":{"requestId":"r-1"}}`,
    expect: {
      level: 'ERROR',
      correlation_id: 'c-1',
      request_id: 'r-1',
      timestamp: '2023-11-14T22:13:20.001Z',
      message: 'no answer',
    },
  },
  {
    of: 'Azure Log Analytics',
    line: `{"TimeGenerated":"2023-11-14T22:13:20.0015Z","SeverityLevel":3,"Message":"bad","OperationId":"o-1","AppRoleName":"pay-api","Properties":{"a":1}}`,
    expect: {
      level: 'ERROR',
      timestamp: '2023-11-14T22:13:20.001Z',
      correlation_id: 'o-1',
      service: 'pay-api',
    },
  },
  {
    of: 'Application Insights',
    line: `{"timestamp":"2023-11-14T22:13:20.0015Z","message":"bad","severityLevel":2,"operation_Id":"o-1","cloud_RoleName":"pay-api","customDimensions":{"RequestId":"r-1"}}`,
    expect: { level: 'WARN', service: 'pay-api', request_id: 'r-1' },
  },
  {
    of: 'Google Cloud LogEntry',
    line: `{"insertId":"1","jsonPayload":{"message":"bad","requestId":"r-1","service":"pay-api"},"resource":{"type":"k8s_container","labels":{"container_name":"pay"}},"timestamp":"2023-11-14T22:13:20.001500Z","severity":"ERROR","labels":{"k8s-pod/app":"pay"},"trace":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736","receiveTimestamp":"2023-11-14T22:13:21Z"}`,
    expect: {
      level: 'ERROR',
      message: 'bad',
      request_id: 'r-1',
      correlation_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      service: 'pay-api',
      timestamp: '2023-11-14T22:13:20.001Z',
    },
  },
  {
    of: 'Google Cloud LogEntry with the receipt only',
    line: `{"textPayload":"hi","receiveTimestamp":"2023-11-14T22:13:20.001500Z"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z' },
  },
  {
    of: 'Datadog log API',
    line: `{"id":"AAA","content":{"timestamp":"2023-11-14T22:13:20.001Z","message":"hi","service":"pay-api","status":"error","attributes":{"request_id":"r-1"}}}`,
    expect: { message: 'hi' },
  },
  {
    of: 'New Relic',
    line: `{"timestamp":1700000000001,"message":"hi","log.level":"WARN","trace.id":"4bf92f3577b34da6a3ce929d0e0e4736","entity.name":"pay-api","entity.guid":"g","span.id":"s","hostname":"h"}`,
    expect: { service: 'pay-api', correlation_id: '4bf92f3577b34da6a3ce929d0e0e4736', level: 'WARN' },
  },
  {
    of: 'ClickHouse',
    line: `{"date_time_utc":"2023-11-14T22:13:20Z","level":"Warning","message":"m"}`,
    expect: { timestamp: '2023-11-14T22:13:20.000Z' },
  },
  {
    of: 'Spring Cloud GCP',
    line: `{"context":"default","logger":"x","message":"m","severity":"ERROR","thread":"main","timestampNanos":1500000,"timestampSeconds":1700000000,"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","logging.googleapis.com/trace":"projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', correlation_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
  },
  {
    of: 'Spring with the name of its property',
    line: `{"@timestamp":"2023-11-14T22:13:20.001Z","message":"m","level":"INFO","spring.application.name":"pay-api"}`,
    expect: { service: 'pay-api' },
  },
  {
    of: 'Spring Cloud Sleuth',
    line: `{"@timestamp":"2023-11-14T22:13:20.001Z","message":"m","severity":"INFO","service":"pay-api","trace":"4bf92f3577b34da6a3ce929d0e0e4736","span":"1","parent":"","exportable":"true","pid":"1","class":"x","rest":"m2"}`,
    expect: { correlation_id: '4bf92f3577b34da6a3ce929d0e0e4736', service: 'pay-api' },
  },
  {
    of: 'serde of a SystemTime',
    line: `{"time":{"secs_since_epoch":1700000000,"nanos_since_epoch":1500000},"level":"INFO","message":"m"}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z' },
  },
  {
    of: 'Splunk HTTP event collector',
    line: `{"time":1700000000.001,"host":"h","source":"x","sourcetype":"_json","event":{"message":"bad","severity":"ERROR","logger":"x"},"fields":{"request_id":"r-1"}}`,
    expect: { timestamp: '2023-11-14T22:13:20.001Z', level: 'ERROR', message: 'bad', request_id: 'r-1' },
  },
  {
    of: 'PHP DateTime in another zone',
    line: '{"message":"m","datetime":{"date":"2023-11-14 23:13:20.001500","timezone_type":1,"timezone":"+01:00"}}',
    expect: { timestamp: '2023-11-14T22:13:20.001Z' },
  },
  {
    of: 'a stack trace called trace',
    line: '{"level":"info","message":"m","trace":"main.a"}',
    expect: { correlation_id: undefined },
  },
  {
    of: 'nginx with a duration called request_time',
    line: '{"msec":"1700000000.001","request_time":812345678}',
    expect: { timestamp: '2023-11-14T22:13:20.001Z' },
  },
  {
    of: 'a number called m',
    line: '{"level":"info","m":5}',
    expect: { message: undefined },
  },
  {
    of: 'Fluent Bit of Docker, log only',
    line: '{"log":"hi","stream":"stdout","time":"2023-11-14T22:13:20.0015Z"}',
    expect: { message: 'hi' },
  },
];

describe('other platforms', () => {
  testLibraryLines(CASES);
});
