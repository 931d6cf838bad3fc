/** structlog with its JSON renderer, and python-json-logger with the usual format. Both put a space after `:` and `,`. */
import type { Level } from '../../core/level.ts';
import type { LogEvent } from '../events.ts';
import type { Dialect } from './dialect.ts';

const STRUCTLOG_LEVEL: Readonly<Record<Level, string>> = {
  TRACE: 'debug',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warning',
  ERROR: 'error',
  FATAL: 'critical',
};

const PYTHON_LEVEL: Readonly<Record<Level, string>> = {
  TRACE: 'DEBUG',
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARN: 'WARNING',
  ERROR: 'ERROR',
  FATAL: 'CRITICAL',
};

export const structlog: Dialect = (event, random) => {
  let line = `{"service": "${event.service.name}", "logger": "${event.service.component}"${commonOf(event)}, "event": "${event.message}", "level": "${STRUCTLOG_LEVEL[event.level]}"`;
  if (event.exception !== null) line += `, "exception": "${event.exception.stack.python}"`;
  const microseconds = String(1000 + random.below(1000)).slice(1);
  return `${line}, "timestamp": "${event.timestampIso.slice(0, -1)}${microseconds}Z"}`;
};

export const pythonJsonLogger: Dialect = (event) => {
  const { timestampIso } = event;
  const asctime = `${timestampIso.slice(0, 10)} ${timestampIso.slice(11, 19)},${timestampIso.slice(20, 23)}`;
  let line = `{"asctime": "${asctime}", "levelname": "${PYTHON_LEVEL[event.level]}", "name": "${event.service.component}", "message": "${event.message}", "service": "${event.service.name}"${commonOf(event)}`;
  if (event.exception !== null) line += `, "exc_info": "${event.exception.stack.python}"`;
  return `${line}}`;
};

function commonOf(event: LogEvent): string {
  let text = '';
  if (event.correlationId !== null) text += `, "correlation_id": "${event.correlationId}"`;
  if (event.requestId !== null) text += `, "request_id": "${event.requestId}"`;
  if (event.durationMs !== null) text += `, "duration_ms": ${event.durationMs}`;
  if (event.audit !== null) {
    text += `, "event_type": "${event.audit.eventType}", "actor": "${event.actor}", "resource": "${event.audit.resource}", "outcome": "${event.audit.outcome}"`;
  }
  for (const field of event.fields) text += `, "${field.snake}": ${field.json}`;
  return text;
}
