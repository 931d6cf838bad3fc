/**
 * What happened, before a logging library has put it into words: the part of a record that does not
 * depend on the dialect. Which event comes next depends on the seed alone, never on the clock.
 */
import type { Level } from '../core/level.ts';
import { AUDIT_KINDS, type AuditKind } from './audit.ts';
import { EXCEPTIONS, type ExceptionKind } from './exceptions.ts';
import { drawFields, type Field } from './fields.ts';
import { type Random, weightedTable } from './random.ts';
import { SERVICES, type Service } from './services.ts';
import { type Template, template } from './templates.ts';

export interface LogEvent {
  readonly service: Service;
  readonly timestampMs: number;
  /** The same instant as ISO 8601 in UTC with milliseconds. */
  readonly timestampIso: string;
  readonly level: Level;
  /** Escaped for a JSON string. */
  readonly message: string;
  readonly correlationId: string | null;
  readonly requestId: string | null;
  readonly durationMs: number | null;
  readonly exception: ExceptionKind | null;
  readonly audit: AuditKind | null;
  /** Who did it; only audit events name an actor. */
  readonly actor: string;
  readonly fields: readonly Field[];
}

interface RequestIds {
  readonly correlationId: string;
  readonly requestId: string;
}

const LEVELS_BY_SHARE: readonly Level[] = weightedTable<Level>(
  [
    ['INFO', 80],
    ['DEBUG', 8],
    ['WARN', 7],
    ['ERROR', 4.5],
    ['FATAL', 0.5],
  ],
  1000,
);

const SERVICES_BY_SHARE = weightedTable(SERVICES.map((service) => [service, service.weight] as const));

/** Services whose every record carries a time make up for 5 %, so the others need a little less than 25 %. */
const TIMING_SHARE = 0.21;
const AUDIT_SHARE = 0.031;
const CORRELATION_SHARE = 0.75;
const REQUEST_SHARE = 0.4;
const EXCEPTION_SHARE: Readonly<Record<Level, number>> = {
  TRACE: 0,
  DEBUG: 0,
  INFO: 0,
  WARN: 0.08,
  ERROR: 0.65,
  FATAL: 0.8,
};

/** Requests in flight at a time; the records of one request share its ids. */
const OPEN_REQUESTS = 24;
const REQUEST_ENDS = 0.15;

const DEBUG_MESSAGES = [
  'cache lookup {hex}',
  'query plan reused for {path}',
  'pool has {count} idle connections',
].map(template);
const WARN_MESSAGES = [
  'slow answer from {host}',
  'retry {attempt} of 5 for {path}',
  'disk {percent}% full',
  'deprecated field "qty" sent by client {id}',
].map(template);
const ERROR_MESSAGES = [
  'request {hex} failed',
  'giving up on {host} after {attempt} attempts',
  'job {id} failed',
].map(template);

/** Draws events one after the other. One instance belongs to one record stream. */
export class EventSource {
  private readonly random: Random;
  private readonly now: () => number;
  private readonly openRequests: RequestIds[];
  private lastTimestampMs = Number.NaN;
  private lastTimestampIso = '';

  /** @param now milliseconds since the epoch, asked once per event. */
  constructor(random: Random, now: () => number) {
    this.random = random;
    this.now = now;
    this.openRequests = Array.from({ length: OPEN_REQUESTS }, () => drawRequestIds(random));
  }

  next(): LogEvent {
    const { random } = this;
    const service = random.pick(SERVICES_BY_SHARE);
    const audit = random.chance(AUDIT_SHARE) ? random.pick(AUDIT_KINDS) : null;
    const level = audit === null ? random.pick(LEVELS_BY_SHARE) : levelOfAudit(audit);
    const exception =
      audit === null && random.chance(EXCEPTION_SHARE[level]) ? random.pick(EXCEPTIONS) : null;
    const timestampMs = this.now();
    const request = this.drawRequest();
    return {
      service,
      timestampMs,
      timestampIso: this.isoOf(timestampMs),
      level,
      message: audit?.message ?? exception?.message ?? random.pick(messagesFor(service, level))(random),
      correlationId: random.chance(CORRELATION_SHARE) ? request.correlationId : null,
      requestId: random.chance(REQUEST_SHARE) ? request.requestId : null,
      durationMs: random.chance(TIMING_SHARE) ? drawDurationMs(random) : null,
      exception,
      audit,
      actor: `user-${100 + random.below(900)}`,
      fields: drawFields(random),
    };
  }

  /** The request that this event belongs to, which now and then is its last. */
  private drawRequest(): RequestIds {
    const { random, openRequests } = this;
    const slot = random.below(OPEN_REQUESTS);
    const request = openRequests[slot] ?? drawRequestIds(random);
    if (random.chance(REQUEST_ENDS)) openRequests[slot] = drawRequestIds(random);
    return request;
  }

  /** Many events fall into one millisecond, and formatting a date costs more than the rest of an event. */
  private isoOf(timestampMs: number): string {
    if (timestampMs !== this.lastTimestampMs) {
      this.lastTimestampMs = timestampMs;
      this.lastTimestampIso = new Date(timestampMs).toISOString();
    }
    return this.lastTimestampIso;
  }
}

function drawRequestIds(random: Random): RequestIds {
  return { correlationId: random.uuid(), requestId: random.uuid() };
}

function levelOfAudit(audit: AuditKind): Level {
  return audit.outcome === 'failure' ? 'WARN' : 'INFO';
}

function messagesFor(service: Service, level: Level): readonly Template[] {
  switch (level) {
    case 'TRACE':
    case 'DEBUG':
      return DEBUG_MESSAGES;
    case 'INFO':
      return service.messages;
    case 'WARN':
      return WARN_MESSAGES;
    case 'ERROR':
    case 'FATAL':
      return ERROR_MESSAGES;
  }
}

/** Most answers take a few milliseconds, some seconds: the long tail of real latencies. */
function drawDurationMs(random: Random): number {
  const exponential = -Math.log(1 - random.fraction());
  return Math.round(400 + 12_000 * exponential * exponential) / 1000;
}
