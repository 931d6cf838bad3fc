/** A directory of log files as the service leaves it: rotated, with everything that can be in it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { LogFile } from '../../src/core/files.ts';
import { type Checkpoint, encodeCheckpoint, loadCheckpoint } from '../../src/storage/checkpoint.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { lineOf, type TestRecord, TOPIC, unitOf } from './write-units.ts';
import { WriterHarness } from './writer-harness.ts';

const RECORDS: readonly TestRecord[] = [
  ['error_logs'],
  'filtered',
  'quarantined',
  ['audit_logs', 'performance_logs'],
  [],
];

/**
 * Two partitions of 40 offsets each, of which 10 were given up in partition 1; several segments of every
 * file are closed, and every active file holds something.
 * @param line makes the line of a record
 */
export async function writeLogDirectory(context: TestContext, line = lineOf): Promise<string> {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, { maxFileBytes: 400, bufferRecords: 1 });
  for (let offset = 0; offset < 40; offset += 5) {
    harness.append(unitOf(0, offset, RECORDS, 30, line));
    if (offset === 20) {
      harness.writer.request({
        kind: 'skip',
        topic: TOPIC,
        partition: 1,
        from: 20,
        to: 30,
        reason: 'deleted_by_kafka',
      });
    }
    if (offset !== 20 && offset !== 25) harness.append(unitOf(1, offset, RECORDS, 30, line));
  }
  await harness.stop();
  return directory;
}

/** Paths of the closed files of a kind with a suffix, oldest first. */
export function closedFiles(directory: string, file: LogFile, suffix = '.jsonl'): string[] {
  const root = join(directory, 'archive', file);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => join(root, name));
}

/** Replaces a file's text by what `change` makes of it. */
export function alter(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

/** Replaces the checkpoint by a valid one with other content. */
export function alterCheckpoint(directory: string, change: (checkpoint: Checkpoint) => Checkpoint): void {
  const loaded = loadCheckpoint(directory);
  if (loaded === undefined) throw new Error(`${directory} has no checkpoint`);
  writeFileSync(join(directory, 'state/checkpoint.json'), encodeCheckpoint(change(loaded.checkpoint)));
}
