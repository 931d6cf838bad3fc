/** What the lines of a quarantine file stand for, by partition. */
import { partitionKey } from '../core/offsets.ts';
import type { SegmentQuarantine } from '../storage/retention-ledger.ts';
import { checkLines } from './line-check.ts';

/** An entry as far as accounts go. */
export interface QuarantineEntry {
  readonly key: string;
  readonly offset: number;
  readonly lastOffset: number;
  readonly records: number;
}

/** @returns undefined when the line is not JSON */
export function quarantineEntryOf(line: Buffer): QuarantineEntry | undefined {
  try {
    const { topic, partition, offset, last_offset, records } = JSON.parse(line.toString()) as Entry;
    const key = partitionKey(topic, partition);
    return { key, offset, lastOffset: last_offset ?? offset, records: records ?? 1 };
  } catch {
    return undefined;
  }
}

interface Entry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** For a batch that could not be read: its last offset, and how many records it stands for. */
  readonly last_offset?: number;
  readonly records?: number;
}

/**
 * Reads a closed segment of the quarantine.
 * @param path of the file itself, compressed or not
 */
export async function quarantineContentOf(path: string, gzip: boolean): Promise<SegmentQuarantine> {
  const content: Record<string, { records: number; last_offset: number }> = {};
  await checkLines(path, {
    gzip,
    onLine: (line) => {
      const entry = quarantineEntryOf(line);
      if (entry === undefined) return;
      const records = (content[entry.key]?.records ?? 0) + entry.records;
      content[entry.key] = { records, last_offset: entry.lastOffset };
    },
  });
  return content;
}
