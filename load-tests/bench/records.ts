/**
 * What the benchmark's topic holds: the JSON that services of our own send, about 256 bytes each, with
 * ids, levels, exceptions, times and audit events mixed as `generate` mixes them. Fields beyond the
 * common ones stand at the top level, so that no consumer can pass a line through as it is.
 */
import { canonical } from '../../src/generate/dialects/canonical.ts';
import { EventSource } from '../../src/generate/events.ts';
import { Random } from '../../src/generate/random.ts';

const SEED = 20_261_123;

/** Every record takes the clock of its place in the log: a thousand records per second of log time. */
export function createRecordSource(): () => Buffer {
  const random = new Random(SEED);
  let timestampMs = Date.now();
  const events = new EventSource(random, () => timestampMs);
  return () => {
    timestampMs += 1;
    return Buffer.from(canonical(events.next(), random));
  };
}
