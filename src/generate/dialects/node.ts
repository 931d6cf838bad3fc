/** pino (with the request and response of pino-http), bunyan and winston. */
import type { Level } from '../../core/level.ts';
import type { LogEvent } from '../events.ts';
import { spell } from '../fields.ts';
import type { Dialect } from './dialect.ts';

const PINO_LEVEL: Readonly<Record<Level, number>> = {
  TRACE: 10,
  DEBUG: 20,
  INFO: 30,
  WARN: 40,
  ERROR: 50,
  FATAL: 60,
};

const WINSTON_LEVEL: Readonly<Record<Level, string>> = {
  TRACE: 'silly',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
  FATAL: 'fatal',
};

export const pino: Dialect = (event, random) => {
  const { service } = event;
  let line = `{"level":${PINO_LEVEL[event.level]},"time":${event.timestampMs},"pid":${service.processId},"hostname":"${service.host}","name":"${service.name}"`;
  if (event.correlationId !== null) line += `,"correlationId":"${event.correlationId}"`;
  if (event.requestId !== null) {
    line += `,"req":{"id":"${event.requestId}","method":"${random.chance(0.7) ? 'GET' : 'POST'}","url":"/v1/basket/${random.below(100_000)}","remoteAddress":"10.2.${random.below(256)}.${random.below(256)}"}`;
  }
  if (event.durationMs !== null)
    line += `,"res":{"statusCode":${statusOf(event)}},"responseTime":${event.durationMs}`;
  if (event.exception !== null) {
    line += `,"err":{"type":"${event.exception.type.node}","message":"${event.exception.reason}","stack":"${event.exception.stack.node}"}`;
  }
  return `${line}${auditOf(event)}${spell(event.fields, 'camel')},"msg":"${event.message}"}`;
};

export const bunyan: Dialect = (event) => {
  const { service } = event;
  let line = `{"name":"${service.name}","hostname":"${service.host}","pid":${service.processId},"component":"${service.component}"`;
  if (event.requestId !== null) line += `,"req_id":"${event.requestId}"`;
  line += `,"level":${PINO_LEVEL[event.level]}`;
  if (event.correlationId !== null) line += `,"correlation_id":"${event.correlationId}"`;
  if (event.durationMs !== null) line += `,"duration_ms":${event.durationMs}`;
  if (event.exception !== null) {
    line += `,"err":{"message":"${event.exception.reason}","name":"${event.exception.type.node}","stack":"${event.exception.stack.node}"}`;
  }
  return `${line}${auditOf(event)}${spell(event.fields, 'camel')},"msg":"${event.message}","time":"${event.timestampIso}","v":0}`;
};

export const winston: Dialect = (event) => {
  let line = '{';
  if (event.correlationId !== null) line += `"correlationId":"${event.correlationId}",`;
  line += `"level":"${WINSTON_LEVEL[event.level]}","message":"${event.message}"`;
  if (event.requestId !== null) line += `,"requestId":"${event.requestId}"`;
  if (event.durationMs !== null) line += `,"durationMs":${Math.round(event.durationMs)}`;
  line += `${auditOf(event)}${spell(event.fields, 'camel')},"service":"${event.service.name}"`;
  if (event.exception !== null) line += `,"stack":"${event.exception.stack.node}"`;
  return `${line},"timestamp":"${event.timestampIso}"}`;
};

function statusOf(event: LogEvent): number {
  return event.exception === null ? 200 : 500;
}

function auditOf(event: LogEvent): string {
  if (event.audit === null) return '';
  return `,"eventType":"${event.audit.eventType}","actor":"${event.actor}","resource":"${event.audit.resource}","outcome":"${event.audit.outcome}"`;
}
