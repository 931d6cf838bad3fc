/**
 * The stream of generated records: pure, endless, and the same bytes for the same seed and clock.
 */
import { DIALECTS } from './dialects/index.ts';
import { EventSource } from './events.ts';
import { MALFORMED_KINDS, malformedRecord } from './malformed.ts';
import { Random } from './random.ts';

export interface RecordStreamOptions {
  /** Any number; the same seed gives the same records, apart from their timestamps. */
  readonly seed: number;
  /** Share of malformed records, from 0 to 1. */
  readonly malformedShare: number;
  /** Milliseconds since the epoch, asked once per record. */
  readonly now: () => number;
}

export interface GeneratedRecord {
  /** Name of the service that logs it. */
  readonly service: string;
  /** The record as sent; UTF-8 JSON of one line unless it is one of the malformed ones. */
  readonly value: Buffer;
}

/** Draws records without end. */
export function* generateRecords(options: RecordStreamOptions): Generator<GeneratedRecord, never, void> {
  const random = new Random(options.seed);
  const events = new EventSource(random, options.now);
  for (;;) {
    const event = events.next();
    const line = DIALECTS[event.service.dialect](event, random);
    const value = random.chance(options.malformedShare)
      ? malformedRecord(random.pick(MALFORMED_KINDS), line, random)
      : Buffer.from(line);
    yield { service: event.service.name, value };
  }
}
