/** What services of our own send: the fields of the common record, everything else beside them. */
import { spell } from '../fields.ts';
import type { Dialect } from './dialect.ts';

export const canonical: Dialect = (event) => {
  let line = `{"timestamp":"${event.timestampIso}","service":"${event.service.name}","level":"${event.level}","message":"${event.message}"`;
  if (event.correlationId !== null) line += `,"correlation_id":"${event.correlationId}"`;
  if (event.requestId !== null) line += `,"request_id":"${event.requestId}"`;
  if (event.durationMs !== null) line += `,"duration_ms":${event.durationMs}`;
  if (event.exception !== null) {
    line += `,"exception":{"type":"${event.exception.type.jvm}","message":"${event.exception.reason}","stack":"${event.exception.stack.jvm}"}`;
  }
  if (event.audit !== null) {
    line += `,"event_type":"${event.audit.eventType}","actor":"${event.actor}","resource":"${event.audit.resource}","outcome":"${event.audit.outcome}"`;
  }
  return `${line}${spell(event.fields, 'snake')},"env":"production"}`;
};
