/** Logback with Elastic's ECS encoder, and with the Logstash encoder. */
import type { Level } from '../../core/level.ts';
import { spell } from '../fields.ts';
import type { Dialect } from './dialect.ts';

/** Logback has no FATAL. */
const LOGBACK_LEVEL: Readonly<Record<Level, string>> = {
  TRACE: 'TRACE',
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARN: 'WARN',
  ERROR: 'ERROR',
  FATAL: 'ERROR',
};

const LOGBACK_LEVEL_VALUE: Readonly<Record<Level, number>> = {
  TRACE: 5000,
  DEBUG: 10_000,
  INFO: 20_000,
  WARN: 30_000,
  ERROR: 40_000,
  FATAL: 40_000,
};

/** ECS measures `event.duration` in nanoseconds. The encoder really pads some values with a space. */
export const logbackEcs: Dialect = (event, random) => {
  const { service, exception, audit } = event;
  let line = `{"@timestamp":"${event.timestampIso}","log.level":${event.level === 'INFO' ? ' ' : ''}"${LOGBACK_LEVEL[event.level]}","message":"${event.message}","ecs.version": "1.2.0","service.name":"${service.name}","service.environment":"prod","process.thread.name":"http-nio-8080-exec-${random.below(32)}","log.logger":"${service.component}"`;
  if (event.correlationId !== null) line += `,"correlation_id":"${event.correlationId}"`;
  if (event.requestId !== null) line += `,"http.request.id":"${event.requestId}"`;
  if (event.durationMs !== null) line += `,"event.duration":${Math.round(event.durationMs * 1e6)}`;
  if (audit !== null) {
    line += `,"event.type":"${audit.eventType}","event.outcome":"${audit.outcome}","user.name":"${event.actor}"`;
  }
  line += spell(event.fields, 'snake');
  if (exception !== null) {
    line += `,"error.type":"${exception.type.jvm}","error.message":"${exception.reason}","error.stack_trace":"${exception.stack.jvm}"`;
  }
  return `${line}}`;
};

export const logstashLogback: Dialect = (event, random) => {
  const { service, exception, audit } = event;
  let line = `{"@timestamp":"${event.timestampIso}","@version":"1","message":"${event.message}","logger_name":"${service.component}","thread_name":"pool-2-thread-${random.below(16)}","level":"${LOGBACK_LEVEL[event.level]}","level_value":${LOGBACK_LEVEL_VALUE[event.level]}`;
  if (exception !== null) line += `,"stack_trace":"${exception.stack.jvm}"`;
  line += `,"service":"${service.name}"`;
  if (event.correlationId !== null) line += `,"correlationId":"${event.correlationId}"`;
  if (event.requestId !== null) line += `,"requestId":"${event.requestId}"`;
  if (event.durationMs !== null) line += `,"elapsed_ms":${Math.round(event.durationMs)}`;
  if (audit !== null) {
    line += `,"event_type":"${audit.eventType}","actor":"${event.actor}","resource":"${audit.resource}","outcome":"${audit.outcome}"`;
  }
  return `${line}${spell(event.fields, 'camel')}}`;
};
