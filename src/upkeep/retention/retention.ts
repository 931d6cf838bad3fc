/**
 * Removes old sealed segments of one instance by age, by total size, and when the disk fills up.
 *
 * Invariants
 * - Nothing goes that a configured backup has not confirmed, or that is still to be sent to the dead-letter
 *   topic; nor what is not sealed.
 * - The ledger is durable before the first byte goes (storage/retention-ledger.ts). What a crash leaves counts
 *   as removed, and goes with the next round.
 */
import { readdirSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { systemCodeOf } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import type { RetentionPolicy } from '../../core/retention-policy.ts';
import { fileSize, syncDirectory, totalSize } from '../../storage/durable-file.ts';
import type { SegmentFacts } from '../../storage/facts.ts';
import { activePath, SEGMENT_SUFFIX } from '../../storage/layout.ts';
import { type ClosedSegment, closedSegments } from '../../storage/recovery.ts';
import {
  type RetentionLedger,
  readRetentionLedger,
  removedThrough,
  withRemoved,
  writeRetentionLedger,
} from '../../storage/retention-ledger.ts';
import { readSegmentFacts } from '../../storage/segment-facts.ts';
import { quarantineContentOf } from '../quarantine-content.ts';
import { type Candidate, type Candidates, chooseSegments } from './choose.ts';

/** A day's folder is removed when it is empty and nothing can be closed into it any more. */
const EMPTY_FOLDER_AGE_MS = 2 * 86_400_000;

export interface RetentionOptions {
  /** Of one instance. */
  readonly directory: string;
  readonly policy: RetentionPolicy;
  readonly clock: Clock;
  /** Number of the newest segment of a file that may go. */
  readonly mayGoThrough: (file: LogFile) => number;
  readonly onRemoved: (segments: number, bytes: number) => void;
}

export interface RetentionResult {
  /** Why the disk is above its watermark although everything that may go has gone; null when it is not. */
  readonly blocked: string | null;
}

interface DiskUse {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

export class Retention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** @throws the system error, or ServiceError FILE_CORRUPT when the ledger is damaged */
  async runOnce(): Promise<RetentionResult> {
    const { directory, policy, clock } = this.#options;
    const ledger = readRetentionLedger(directory);
    const closed = new Map(LOG_FILES.map((file) => [file, closedSegments(directory, file)]));
    this.#removeLeftovers(ledger, closed);
    const disk = diskUse(directory);
    const bytesToFree = Math.max(
      this.#aboveTotal(ledger, closed),
      policy.diskWatermark === null ? 0 : disk.usedBytes - policy.diskWatermark * disk.totalBytes,
    );
    const candidates = this.#candidates(ledger, closed);
    const { segments } = chooseSegments(candidates, policy, clock.now(), bytesToFree);
    if (segments.length > 0) await this.#remove(ledger, segments);
    return { blocked: this.#blocked(segments.length > 0 ? diskUse(directory) : disk) };
  }

  #blocked({ usedBytes, totalBytes }: DiskUse): string | null {
    const { diskWatermark: watermark } = this.#options.policy;
    if (watermark === null || usedBytes <= watermark * totalBytes) return null;
    const percent = (share: number): number => Math.round(100 * share);
    return `the disk is ${percent(usedBytes / totalBytes)} % full, above retention.disk_watermark (${percent(watermark)} %), and nothing may be removed: free space, or keep less`;
  }

  /** Bytes above the limit of all files together. */
  #aboveTotal(ledger: RetentionLedger, closed: ReadonlyMap<LogFile, readonly ClosedSegment[]>): number {
    const { directory, policy } = this.#options;
    if (policy.maxTotalBytes === null) return 0;
    let bytes = -policy.maxTotalBytes;
    for (const [file, segments] of closed) {
      bytes += fileSize(activePath(directory, file)) ?? 0;
      for (const segment of segments) {
        if (segment.number > removedThrough(ledger, file)) bytes += totalSize(segment.path, segment.suffixes);
      }
    }
    return bytes;
  }

  #candidates(ledger: RetentionLedger, closed: ReadonlyMap<LogFile, readonly ClosedSegment[]>): Candidates {
    const { mayGoThrough } = this.#options;
    const entries = [...closed].map(([file, segments]) => {
      const limit = mayGoThrough(file);
      const removed = removedThrough(ledger, file);
      const left = segments.filter(({ number }) => number > removed && number <= limit);
      return [file, beginningOf(file, removed, left)] as const;
    });
    return Object.fromEntries(entries) as unknown as Candidates;
  }

  async #remove(before: RetentionLedger, segments: readonly Candidate[]): Promise<void> {
    const { directory, onRemoved } = this.#options;
    let ledger = before;
    for (const { file, number, path } of segments) {
      const quarantine =
        file === 'quarantine' ? await quarantineContentOf({ kind: 'closed', number, path }) : {};
      ledger = withRemoved(ledger, readSegmentFacts(path), quarantine);
    }
    writeRetentionLedger(directory, ledger);
    for (const { path } of segments) removeFiles(path);
    this.#removeFolders(segments.map(({ path }) => dirname(path)));
    onRemoved(
      segments.length,
      segments.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }

  #removeLeftovers(ledger: RetentionLedger, closed: ReadonlyMap<LogFile, readonly ClosedSegment[]>): void {
    for (const [file, segments] of closed) {
      const gone = segments.filter(({ number }) => number <= removedThrough(ledger, file));
      for (const { path } of gone) removeFiles(path);
      this.#removeFolders(gone.map(({ path }) => dirname(path)));
    }
  }

  #removeFolders(folders: readonly string[]): void {
    for (const folder of new Set(folders)) {
      const day = Date.parse(folder.slice(-'2026-11-23'.length));
      if (day > this.#options.clock.now() - EMPTY_FOLDER_AGE_MS || readdirSync(folder).length > 0) {
        syncDirectory(folder);
        continue;
      }
      rmdirSync(folder);
      syncDirectory(dirname(folder));
    }
  }
}

/**
 * The oldest segments as far as they are sealed and follow each other. One at a time, since hardly ever more
 * than the first of thousands has to be looked at.
 */
function* beginningOf(
  file: LogFile,
  removed: number,
  segments: readonly ClosedSegment[],
): Generator<Candidate, undefined> {
  let next = removed + 1;
  for (const { number, path, suffixes } of segments) {
    if (number !== next || suffixes.includes(SEGMENT_SUFFIX.plain)) return;
    const facts = readFactsIfSealed(path);
    if (facts === undefined) return;
    yield { file, number, path, closedAtMs: Date.parse(facts.closed_at), bytes: totalSize(path, suffixes) };
    next += 1;
  }
}

/** Undefined also for facts that cannot be read: `verify` tells of them, and nobody deletes what he does not know. */
function readFactsIfSealed(path: string): SegmentFacts | undefined {
  try {
    const facts = readSegmentFacts(path);
    return facts.sealed === undefined ? undefined : facts;
  } catch (error) {
    if (error instanceof SyntaxError || systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function removeFiles(path: string): void {
  for (const suffix of Object.values(SEGMENT_SUFFIX)) rmSync(path + suffix, { force: true });
}

function diskUse(directory: string): DiskUse {
  const { blocks, bfree, bavail, bsize } = statfsSync(directory);
  // What is reserved for the system is not there for anybody else.
  const usedBytes = (blocks - bfree) * bsize;
  return { usedBytes, totalBytes: usedBytes + bavail * bsize };
}
