/** zap's production encoder and zerolog. */
import type { Level } from '../../core/level.ts';
import type { LogEvent } from '../events.ts';
import { spell } from '../fields.ts';
import type { Dialect } from './dialect.ts';

const GO_LEVEL: Readonly<Record<Level, string>> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
};

/** zap writes the time as seconds in a double, whose last digits are rounding noise; durations are seconds too. */
export const zap: Dialect = (event, random) => {
  const seconds = event.timestampMs / 1000 + random.below(1000) / 1e6;
  let line = `{"level":"${GO_LEVEL[event.level]}","ts":${seconds},"caller":"${event.service.component}","msg":"${event.message}","service":"${event.service.name}"${idsOf(event)}`;
  if (event.durationMs !== null) line += `,"latency":${event.durationMs / 1000}`;
  line += `${auditOf(event)}${spell(event.fields, 'snake')}`;
  if (event.exception !== null) {
    line += `,"error":"${event.exception.reason}","stacktrace":"${event.exception.stack.go}"`;
  }
  return `${line}}`;
};

export const zerolog: Dialect = (event) => {
  let line = `{"level":"${GO_LEVEL[event.level]}","service":"${event.service.name}","component":"${event.service.component}"${idsOf(event)}`;
  if (event.durationMs !== null) line += `,"elapsed":${event.durationMs}`;
  line += `${auditOf(event)}${spell(event.fields, 'snake')}`;
  if (event.exception !== null) {
    line += `,"stack":[{"func":"Save","line":"142","source":"store.go"},{"func":"handle","line":"77","source":"server.go"}],"error":"${event.exception.reason}"`;
  }
  return `${line},"time":"${event.timestampIso.slice(0, 19)}Z","message":"${event.message}"}`;
};

function idsOf(event: LogEvent): string {
  let text = '';
  if (event.correlationId !== null) text += `,"correlation_id":"${event.correlationId}"`;
  if (event.requestId !== null) text += `,"request_id":"${event.requestId}"`;
  return text;
}

function auditOf(event: LogEvent): string {
  if (event.audit === null) return '';
  return `,"event_type":"${event.audit.eventType}","actor":"${event.actor}","resource":"${event.audit.resource}","outcome":"${event.audit.outcome}"`;
}
