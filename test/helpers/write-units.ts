/** Units as the transform pool makes them, with records whose every trace can be foretold. */
import { CATEGORIES, type Category, type LogFile } from '../../src/core/files.ts';
import type { Region, WriteUnit } from '../../src/core/messages.ts';
import { NO_FACTS } from '../../src/storage/facts.ts';

/** What becomes of a record: stored (also in some categories), left out, or quarantined. */
export type TestRecord = 'filtered' | 'quarantined' | readonly Category[];

export const TOPIC = 'logs';

/** The line of a stored record; `padding` makes it longer. */
export function lineOf(partition: number, offset: number, padding = 0): string {
  return `{"p":${partition},"o":${offset},"x":"${'x'.repeat(padding)}"}\n`;
}

/** The same in the form in which the service stores it. */
export function storedLineOf(partition: number, offset: number, padding = 0): string {
  const message = `${partition}/${offset} ${'x'.repeat(padding)}`;
  return `{"timestamp":"2026-11-23T09:00:00.000Z","service":"s","level":"INFO","message":"${message}"}\n`;
}

/** The line of a quarantined record. */
export function quarantineLineOf(partition: number, offset: number): string {
  return `{"reason":"not_json","topic":"${TOPIC}","partition":${partition},"offset":${offset}}\n`;
}

/** The lines that a record leaves in a file: none or one. */
export function traceOf(
  record: TestRecord,
  file: LogFile,
  partition: number,
  offset: number,
  padding = 0,
  line = lineOf,
): string {
  if (record === 'filtered') return '';
  if (record === 'quarantined') return file === 'quarantine' ? quarantineLineOf(partition, offset) : '';
  if (file === 'quarantine') return '';
  const stored = file === 'service_logs' || record.includes(file);
  return stored ? line(partition, offset, padding) : '';
}

/** A unit of consecutive records from `firstOffset` on. */
export function unitOf(
  partition: number,
  firstOffset: number,
  records: readonly TestRecord[],
  padding = 0,
  line = lineOf,
): WriteUnit {
  const parts: Buffer[] = [];
  const regions: Region[] = [];
  let length = 0;
  for (const file of ['service_logs', ...CATEGORIES, 'quarantine'] as const) {
    const lines = records.map((record, index) =>
      traceOf(record, file, partition, firstOffset + index, padding, line),
    );
    const bytes = Buffer.from(lines.join(''));
    if (bytes.length === 0) continue;
    parts.push(bytes);
    const count = lines.filter((line) => line !== '').length;
    regions.push({ file, start: length, end: length + bytes.length, records: count });
    length += bytes.length;
  }
  const output = new ArrayBuffer(length + 16);
  new Uint8Array(output).set(Buffer.concat(parts));
  return {
    topic: TOPIC,
    partition,
    firstOffset,
    nextOffset: firstOffset + records.length,
    output,
    regions,
    facts: NO_FACTS,
    counts: countsOf(records),
  };
}

function countsOf(records: readonly TestRecord[]): WriteUnit['counts'] {
  const filtered = records.filter((record) => record === 'filtered').length;
  const quarantined = records.filter((record) => record === 'quarantined').length;
  return {
    consumed: records.length,
    written: records.length - filtered - quarantined,
    filtered,
    quarantined,
    missingTimestamps: 0,
    unknownLevels: 0,
    quarantineReasons: quarantined === 0 ? {} : { not_json: quarantined },
  };
}
