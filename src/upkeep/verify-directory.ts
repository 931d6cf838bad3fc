/**
 * Proves for one instance, from the files alone, what became of every consumed offset: stored, quarantined or below the
 * minimum level.
 *
 * What is checked: every closed segment is there and has the records, bytes and checksums that were
 * recorded when it was closed; every active file begins with what the checkpoint promises; the offset
 * ranges of the segments follow each other without gap or overlap up to the checkpoint; and the numbers
 * add up. Bytes beyond the checkpoint are not looked at: they were never acknowledged.
 */
import { readFileSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import type { Checkpoint, PartitionCheckpoint, PendingRename } from '../storage/checkpoint.ts';
import { fileSize } from '../storage/durable-file.ts';
import type { SegmentFacts } from '../storage/facts.ts';
import { activePath, SEGMENT_SUFFIX } from '../storage/layout.ts';
import { type ClosedSegment, closedSegments } from '../storage/recovery.ts';
import { type RetentionLedger, removedThrough } from '../storage/retention-ledger.ts';
import type { FrozenFiles } from './frozen-view.ts';
import { checkLines, type LineCheck, type LineSource } from './line-check.ts';
import { OffsetChain } from './offset-chain.ts';
import { QuarantineCheck } from './quarantine-check.ts';

/** What was found in the files of one instance. */
export interface DirectoryReport {
  /** Lines in service_logs. */
  readonly records: number;
  readonly partitions: Checkpoint['partitions'];
  readonly removed: RemovedReport;
  /** Paths, without suffix, of segments that were removed and that an interrupted deletion left. */
  readonly leftovers: readonly string[];
  readonly problems: readonly string[];
}

/** What is not in the archive on purpose. */
export interface RemovedReport {
  /** Of all files. */
  readonly segments: number;
  /** Of service_logs. */
  readonly records: number;
}

/** The check of one set of files, held still. */
export class Verification {
  readonly #directory: string;
  readonly #checkpoint: Checkpoint;
  readonly #descriptors: FrozenFiles['descriptors'];
  readonly #onBytes: (count: number) => void;
  readonly #ledger: RetentionLedger;
  readonly #problems: string[] = [];
  readonly #leftovers: string[] = [];
  readonly #chain: OffsetChain;
  readonly #quarantine: QuarantineCheck;
  #records = 0;

  constructor(
    directory: string,
    { checkpoint, descriptors }: FrozenFiles,
    ledger: RetentionLedger,
    onBytes: (count: number) => void,
  ) {
    this.#directory = directory;
    this.#checkpoint = checkpoint;
    this.#descriptors = descriptors;
    this.#ledger = ledger;
    this.#onBytes = onBytes;
    this.#chain = new OffsetChain(checkpoint.partitions, ledger.files.service_logs);
    this.#quarantine = new QuarantineCheck(checkpoint.partitions, ledger.files.quarantine);
  }

  async run(): Promise<DirectoryReport> {
    for (const file of LOG_FILES) {
      const closed = this.#inOrder(file, closedSegments(this.#directory, file));
      for (const segment of closed) await this.#closed(file, segment);
      await this.#unfinishedRotation(file, closed);
      await this.#active(file);
    }
    this.#problems.push(...this.#chain.problems(), ...this.#quarantine.problems());
    this.#addUp();
    return this.#report();
  }

  /** Segments are numbered without gaps after those that were removed; the one that a pending rename closes may not be there yet. */
  #inOrder(file: LogFile, segments: readonly ClosedSegment[]): ClosedSegment[] {
    const active = this.#checkpoint.files[file]?.number ?? 1;
    const removed = removedThrough(this.#ledger, file);
    const known = segments.filter(({ number }) => number > removed && number < active);
    this.#leftovers.push(...segments.filter(({ number }) => number <= removed).map(({ path }) => path));
    const byNumber = new Map(known.map((segment) => [segment.number, segment]));
    for (let number = removed + 1; number < active; number += 1) {
      if (!byNumber.has(number) && this.#pendingRename(file)?.facts.number !== number)
        this.#problems.push(`Segment ${number} of ${file} is missing from the archive.`);
    }
    if (byNumber.size !== known.length) {
      this.#problems.push(`The archive holds two segments of ${file} with the same number.`);
    }
    return known;
  }

  /** A running service may seal the segment at any moment: then its plain file goes, after its facts changed. */
  async #closed(file: LogFile, segment: ClosedSegment): Promise<void> {
    const plain = segment.path + SEGMENT_SUFFIX.plain;
    const gzip = fileSize(plain) === undefined;
    const facts = this.#readFacts(file, segment);
    if (facts === undefined) return;
    const path = gzip ? segment.path + SEGMENT_SUFFIX.gzip : plain;
    const found = await this.#check(file, path, { gzip });
    if (typeof found === 'string') {
      if (!gzip && fileSize(plain) === undefined) return this.#closed(file, segment);
      this.#problems.push(found);
      return;
    }
    this.#compare(path, found, facts);
    if (gzip && facts.sealed?.sha256 !== found.sha256) {
      this.#problems.push(`${path} does not have the SHA-256 that was recorded when it was sealed.`);
    }
    if (file !== 'service_logs') return;
    this.#records += found.lines;
    this.#chain.segment(path, facts);
  }

  /** A crash between a checkpoint and the rename that it announces leaves the closed segment in its place. */
  async #unfinishedRotation(file: LogFile, closed: readonly ClosedSegment[]): Promise<void> {
    const facts = this.#pendingRename(file)?.facts;
    if (facts === undefined || closed.some(({ number }) => number === facts.number)) return;
    const path = activePath(this.#directory, file);
    const found = await this.#checkActive(file, facts.bytes);
    if (typeof found === 'string') {
      this.#problems.push(found);
      return;
    }
    this.#compare(path, found, facts);
    if (file !== 'service_logs') return;
    this.#records += found.lines;
    this.#chain.segment(path, facts);
  }

  #pendingRename(file: LogFile): PendingRename | undefined {
    return this.#checkpoint.pending_renames.find((rename) => rename.file === file);
  }

  async #active(file: LogFile): Promise<void> {
    const state = this.#checkpoint.files[file];
    const path = activePath(this.#directory, file);
    if (state === undefined || state.length === 0) {
      if (file === 'service_logs' && state !== undefined) this.#chain.active(state);
      return;
    }
    const found = await this.#checkActive(file, state.length);
    if (typeof found === 'string') {
      this.#problems.push(found);
      return;
    }
    this.#compare(path, found, { records: state.records, bytes: state.length, crc32c: state.crc32c });
    if (file !== 'service_logs') return;
    this.#records += found.lines;
    this.#chain.active(state);
  }

  /** Checks the first `length` bytes of what lay in the place of an active file at the checkpoint. */
  async #checkActive(file: LogFile, length: number): Promise<LineCheck | string> {
    const path = activePath(this.#directory, file);
    const descriptor = this.#descriptors.get(file);
    if (descriptor === undefined) return `${path} cannot be read (it is missing).`;
    return this.#check(file, path, { gzip: false, length, descriptor });
  }

  /** @returns the problem when the file cannot be read */
  async #check(file: LogFile, path: string, source: LineSource): Promise<LineCheck | string> {
    try {
      return await checkLines(path, {
        ...source,
        ...(file === 'quarantine' ? { onLine: (line: Buffer) => this.#quarantine.line(line) } : {}),
        onBytes: this.#onBytes,
      });
    } catch (error) {
      return `${path} cannot be read (${messageOf(error)}).`;
    }
  }

  #compare(
    path: string,
    found: LineCheck,
    expected: Pick<SegmentFacts, 'records' | 'bytes' | 'crc32c'>,
  ): void {
    if (found.bytes !== expected.bytes) {
      this.#problems.push(`${path} has ${found.bytes} bytes, ${expected.bytes} were recorded.`);
    } else if (found.crc32c !== expected.crc32c) {
      this.#problems.push(`${path} does not have the checksum that was recorded: bytes in it were changed.`);
    }
    if (found.lines !== expected.records) {
      this.#problems.push(`${path} has ${found.lines} lines, ${expected.records} were recorded.`);
    }
    if (found.torn > 0) this.#problems.push(`${path} ends in the middle of a line.`);
    if (found.malformed > 0)
      this.#problems.push(`${path} has ${found.malformed} lines that are not JSON objects.`);
  }

  /** A crash right after a rename leaves a segment whose facts stand only in the checkpoint. */
  #readFacts(file: LogFile, segment: ClosedSegment): SegmentFacts | undefined {
    const path = segment.path + SEGMENT_SUFFIX.facts;
    const pending = this.#pendingRename(file)?.facts;
    if (pending?.number === segment.number && fileSize(path) === undefined) return pending;
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as SegmentFacts;
    } catch (error) {
      this.#problems.push(`${path} cannot be read (${messageOf(error)}).`);
      return undefined;
    }
  }

  #addUp(): void {
    for (const [key, entry] of Object.entries(this.#checkpoint.partitions)) {
      const ended = entry.written + entry.filtered + entry.quarantined;
      if (ended !== entry.consumed) {
        this.#problems.push(`${key}: ${entry.consumed} records were consumed, but ${ended} accounted for.`);
      }
      const offsets = availableOffsets(entry);
      if (entry.consumed > offsets) {
        this.#problems.push(`${key}: ${entry.consumed} records were consumed of at most ${offsets} offsets.`);
      }
    }
    const written = Object.values(this.#checkpoint.partitions).reduce((sum, entry) => sum + entry.written, 0);
    const removed = this.#ledger.files.service_logs?.records ?? 0;
    if (this.#records + removed !== written) {
      const before = removed === 0 ? '' : ` and ${removed} were removed`;
      this.#problems.push(
        `service_logs holds ${this.#records} lines${before}, ${written} were recorded as written.`,
      );
    }
  }

  #report(): DirectoryReport {
    const files = Object.values(this.#ledger.files);
    return {
      records: this.#records,
      partitions: this.#checkpoint.partitions,
      removed: {
        segments: files.reduce((sum, { removed_through }) => sum + removed_through, 0),
        records: this.#ledger.files.service_logs?.records ?? 0,
      },
      leftovers: this.#leftovers,
      problems: this.#problems,
    };
  }
}

/** Bytes that a verification will read, for the progress. */
export function bytesToVerify(directory: string, { checkpoint }: FrozenFiles): number {
  let bytes = 0;
  for (const file of LOG_FILES) {
    bytes += checkpoint.files[file]?.length ?? 0;
    for (const { path } of closedSegments(directory, file)) {
      bytes += fileSize(path + SEGMENT_SUFFIX.plain) ?? fileSize(path + SEGMENT_SUFFIX.gzip) ?? 0;
    }
  }
  return bytes;
}

/** Offsets that were read; where a topic was created again, the range given up leads backwards. */
export function availableOffsets({ first_offset, next_offset, lost }: PartitionCheckpoint): number {
  return lost.reduce((offsets, { from, to }) => offsets - (to - from), next_offset - first_offset);
}
