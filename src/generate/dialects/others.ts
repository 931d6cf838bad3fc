/** Serilog's compact format, the OpenTelemetry SDK's console shape, and nginx access logs written as JSON. */
import type { Level } from '../../core/level.ts';
import { spell } from '../fields.ts';
import type { Dialect } from './dialect.ts';

const SERILOG_LEVEL: Readonly<Record<Level, string>> = {
  TRACE: 'Verbose',
  DEBUG: 'Debug',
  INFO: 'Information',
  WARN: 'Warning',
  ERROR: 'Error',
  FATAL: 'Fatal',
};

const OTEL_SEVERITY: Readonly<Record<Level, number>> = {
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17,
  FATAL: 21,
};

const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'];
const FINE_STATUSES = [200, 200, 200, 201, 204, 304];
const REFUSED_STATUSES = [400, 401, 404, 429];
const FAILED_STATUSES = [500, 502, 503, 504];

/** The level is left out when it is Information, as the format demands. */
export const serilogClef: Dialect = (event, random) => {
  const ticks = String(10_000 + random.below(10_000)).slice(1);
  let line = `{"@t":"${event.timestampIso.slice(0, -1)}${ticks}Z","@m":"${event.message}"`;
  if (event.level !== 'INFO') line += `,"@l":"${SERILOG_LEVEL[event.level]}"`;
  if (event.exception !== null) line += `,"@x":"${event.exception.stack.dotnet}"`;
  line += `,"SourceContext":"${event.service.component}","Service":"${event.service.name}"`;
  if (event.correlationId !== null) line += `,"CorrelationId":"${event.correlationId}"`;
  if (event.requestId !== null) line += `,"RequestId":"${event.requestId}"`;
  if (event.durationMs !== null) line += `,"ElapsedMilliseconds":${event.durationMs}`;
  if (event.audit !== null) {
    line += `,"EventType":"${event.audit.eventType}","Actor":"${event.actor}","Resource":"${event.audit.resource}","Outcome":"${event.audit.outcome}"`;
  }
  return `${line}${spell(event.fields, 'pascal')}}`;
};

export const opentelemetry: Dialect = (event, random) => {
  let attributes = `"code.namespace":"${event.service.component}"`;
  if (event.requestId !== null) attributes += `,"request_id":"${event.requestId}"`;
  if (event.durationMs !== null) attributes += `,"http.server.duration":${event.durationMs}`;
  if (event.exception !== null) {
    attributes += `,"exception.type":"${event.exception.type.go}","exception.message":"${event.exception.reason}","exception.stacktrace":"${event.exception.stack.go}"`;
  }
  if (event.audit !== null) {
    attributes += `,"event_type":"${event.audit.eventType}","enduser.id":"${event.actor}","outcome":"${event.audit.outcome}"`;
  }
  attributes += spell(event.fields, 'snake');
  const traceId = event.correlationId === null ? '0'.repeat(32) : event.correlationId.replaceAll('-', '');
  return `{"body":"${event.message}","severity_number":${OTEL_SEVERITY[event.level]},"severity_text":"${event.level}","attributes":{${attributes}},"timestamp":"${event.timestampIso.slice(0, -1)}000Z","trace_id":"${traceId}","span_id":"${random.hex16()}","trace_flags":1,"resource":{"attributes":{"service.name":"${event.service.name}","service.version":"2.8.1"}}}`;
};

/** An access log has no level and no message; its times have no fraction. */
export const nginx: Dialect = (event, random) => {
  const seconds = ((event.durationMs ?? 0.4 + random.below(900) / 10) / 1000).toFixed(3);
  return `{"time":"${event.timestampIso.slice(0, 19)}+00:00","service":"${event.service.name}","remote_addr":"10.${random.below(256)}.${random.below(256)}.${random.below(256)}","request_method":"${random.pick(METHODS)}","request_uri":"/v1/products/${random.below(100_000)}?page=${random.below(20)}","status":${random.pick(statusesFor(event.level))},"body_bytes_sent":${random.below(60_000)},"request_time":${seconds},"http_referrer":"","http_user_agent":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)","request_id":"${random.hex32()}"}`;
};

function statusesFor(level: Level): readonly number[] {
  if (level === 'ERROR' || level === 'FATAL') return FAILED_STATUSES;
  return level === 'WARN' ? REFUSED_STATUSES : FINE_STATUSES;
}
