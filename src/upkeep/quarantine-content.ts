/** What the lines of a quarantine file stand for, by partition. */
import { open } from 'node:fs/promises';
import { partitionKey } from '../core/offsets.ts';
import type { FilePosition } from '../storage/facts.ts';
import { parseQuarantineEntry } from '../storage/quarantine-entry.ts';
import type { SegmentQuarantine } from '../storage/retention-ledger.ts';
import { linesOf, type QuarantinePiece } from './quarantine-pieces.ts';

/** Reads one file of the quarantine. */
export async function quarantineContentOf(piece: QuarantinePiece): Promise<SegmentQuarantine> {
  const content: Record<string, { records: number; last_offset: number }> = {};
  for await (const lines of linesOf(piece)) {
    for (const line of lines) {
      const entry = parseQuarantineEntry(line);
      if (entry === undefined) continue;
      const key = partitionKey(entry.topic, entry.partition);
      const records = (content[key]?.records ?? 0) + entry.records;
      content[key] = { records, last_offset: entry.lastOffset };
    }
  }
  return content;
}

/** Reads the beginning of an active file. */
export async function activeQuarantineOf(
  path: string,
  { number, length }: Pick<FilePosition, 'number' | 'length'>,
): Promise<SegmentQuarantine> {
  const file = await open(path);
  try {
    return await quarantineContentOf({ kind: 'open', number, path, descriptor: file.fd, length });
  } finally {
    await file.close();
  }
}
