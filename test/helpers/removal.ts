/** Removes the oldest closed segments of a directory, as a retention does. */
import { readFileSync, rmSync } from 'node:fs';
import type { LogFile } from '../../src/core/files.ts';
import type { SegmentFacts } from '../../src/storage/facts.ts';
import { SEGMENT_SUFFIX } from '../../src/storage/layout.ts';
import { type ClosedSegment, closedSegments } from '../../src/storage/recovery.ts';
import {
  readRetentionLedger,
  removedThrough,
  withRemoved,
  writeRetentionLedger,
} from '../../src/storage/retention-ledger.ts';
import { quarantineContentOf } from '../../src/upkeep/quarantine-content.ts';

/** Enters the oldest segment that is left into the ledger, and leaves its files where they are. */
export async function declareRemoved(directory: string, file: LogFile): Promise<ClosedSegment> {
  const ledger = readRetentionLedger(directory);
  const oldest = closedSegments(directory, file).find(({ number }) => number > removedThrough(ledger, file));
  if (oldest === undefined) throw new Error(`${directory} holds no more segment of ${file}`);
  const facts = JSON.parse(readFileSync(oldest.path + SEGMENT_SUFFIX.facts, 'utf8')) as SegmentFacts;
  const quarantine = file === 'quarantine' ? await quarantineContentOf({ kind: 'closed', ...oldest }) : {};
  writeRetentionLedger(directory, withRemoved(ledger, facts, quarantine));
  return oldest;
}

/** Removes the `count` oldest segments. */
export async function removeOldest(directory: string, file: LogFile, count = 1): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const { path, suffixes } = await declareRemoved(directory, file);
    for (const suffix of suffixes) rmSync(path + suffix);
  }
}
