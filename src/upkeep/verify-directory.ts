/**
 * Proves for one instance, from the files alone, what became of every consumed offset: stored, quarantined or below the
 * minimum level.
 *
 * What is checked: every closed segment is there and has the records, bytes and checksums that were
 * recorded when it was closed; every active file begins with what the checkpoint promises; the offset
 * ranges of the segments follow each other without gap or overlap up to the checkpoint; and the numbers
 * add up; and what replays took from the quarantine is stored as they recorded. Bytes beyond the checkpoint are not looked at: they were never acknowledged.
 */
import { messageOf } from '../core/errors.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import type { Checkpoint, PartitionCheckpoint, PendingRename } from '../storage/checkpoint.ts';
import { fileSize } from '../storage/durable-file.ts';
import type { SegmentFacts } from '../storage/facts.ts';
import { activePath, SEGMENT_SUFFIX } from '../storage/layout.ts';
import { type ClosedSegment, closedSegments } from '../storage/recovery.ts';
import type { ReplayJournal } from '../storage/replay-journal.ts';
import { type RetentionLedger, removedThrough } from '../storage/retention-ledger.ts';
import { readSegmentFacts } from '../storage/segment-facts.ts';
import { bytesOfClosed, checkClosed } from './closed-check.ts';
import { fileProblems } from './file-problems.ts';
import type { FrozenFiles } from './frozen-view.ts';
import { checkLines, type LineCheck, type LineCheckOptions, type LineSource } from './line-check.ts';
import { OffsetChain } from './offset-chain.ts';
import { QuarantineCheck } from './quarantine-check.ts';
import { bytesOfReplays, ReplayCheck } from './replay-check.ts';

/** What was found in the files of one instance. */
export interface DirectoryReport {
  /** Lines in service_logs. */
  readonly records: number;
  /** Records of the quarantine that replays have stored. */
  readonly replayed: number;
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

/** What is known of the files besides the checkpoint. */
export interface Records {
  readonly journal: ReplayJournal;
  readonly ledger: RetentionLedger;
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
  readonly #replay: ReplayCheck;
  #isQuarantineComplete: boolean;
  #records = 0;

  /** @param journal as it was before the files were frozen, so that it speaks of nothing that came later */
  constructor(
    directory: string,
    { checkpoint, descriptors }: FrozenFiles,
    { journal, ledger }: Records,
    onBytes: (count: number) => void,
  ) {
    this.#directory = directory;
    this.#checkpoint = checkpoint;
    this.#descriptors = descriptors;
    this.#ledger = ledger;
    this.#onBytes = onBytes;
    this.#chain = new OffsetChain(checkpoint.partitions, ledger.files.service_logs);
    this.#replay = new ReplayCheck(directory, journal);
    this.#isQuarantineComplete = removedThrough(ledger, 'quarantine') === 0;
    this.#quarantine = new QuarantineCheck(
      checkpoint.partitions,
      (key, from, to) => this.#replay.quarantined(key, from, to),
      ledger.files.quarantine,
    );
  }

  async run(): Promise<DirectoryReport> {
    for (const file of LOG_FILES) {
      const closed = this.#inOrder(file, closedSegments(this.#directory, file));
      for (const segment of closed) await this.#closed(file, segment);
      await this.#unfinishedRotation(file, closed);
      await this.#active(file);
    }
    await this.#replay.segments(this.#onBytes);
    this.#problems.push(...this.#chain.problems(), ...this.#quarantine.problems());
    this.#problems.push(...this.#replay.problems(this.#isQuarantineComplete));
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
      if (byNumber.has(number) || this.#pendingRename(file)?.facts.number === number) continue;
      this.#problems.push(`Segment ${number} of ${file} is missing from the archive.`);
      if (file === 'quarantine') this.#isQuarantineComplete = false;
    }
    if (byNumber.size !== known.length) {
      this.#problems.push(`The archive holds two segments of ${file} with the same number.`);
    }
    return known;
  }

  async #closed(file: LogFile, segment: ClosedSegment): Promise<void> {
    const readFacts = (): SegmentFacts => this.#factsOf(file, segment);
    try {
      const { path, facts, found, problems } = await checkClosed(segment.path, {
        readFacts,
        lines: this.#lineOptions(file),
      });
      this.#problems.push(...problems);
      if (found === undefined || file !== 'service_logs') return;
      this.#records += found.lines;
      this.#chain.segment(path, facts);
    } catch (error) {
      this.#problems.push(`${segment.path}${SEGMENT_SUFFIX.facts} cannot be read (${messageOf(error)}).`);
    }
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
    this.#problems.push(...fileProblems(path, found, facts));
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
    const { records, length: bytes, crc32c } = state;
    this.#problems.push(...fileProblems(path, found, { records, bytes, crc32c }));
    if (file !== 'service_logs') return;
    this.#records += found.lines;
    this.#chain.active(state);
  }

  /** Checks the first `length` bytes of what lay in the place of an active file at the checkpoint. */
  async #checkActive(file: LogFile, length: number): Promise<LineCheck | string> {
    const path = activePath(this.#directory, file);
    const descriptor = this.#descriptors.get(file);
    if (descriptor === undefined) return `${path} cannot be read (it is missing).`;
    return this.#check(file, path, { length, descriptor });
  }

  /** @returns the problem when the file cannot be read */
  async #check(file: LogFile, path: string, source: LineSource): Promise<LineCheck | string> {
    try {
      return await checkLines(path, { ...source, ...this.#lineOptions(file) });
    } catch (error) {
      return `${path} cannot be read (${messageOf(error)}).`;
    }
  }

  #lineOptions(file: LogFile): Pick<LineCheckOptions, 'onLine' | 'onBytes'> {
    const onBytes = this.#onBytes;
    if (file !== 'quarantine') return { onBytes };
    return { onBytes, onLine: (line) => this.#quarantine.line(line) };
  }

  /**
   * A crash right after a rename leaves a segment whose facts stand only in the checkpoint.
   * @throws the system error, or a SyntaxError
   */
  #factsOf(file: LogFile, segment: ClosedSegment): SegmentFacts {
    const path = segment.path + SEGMENT_SUFFIX.facts;
    const pending = this.#pendingRename(file)?.facts;
    if (pending?.number === segment.number && fileSize(path) === undefined) return pending;
    return readSegmentFacts(segment.path);
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
      replayed: this.#replay.records,
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
export function bytesToVerify(
  directory: string,
  { checkpoint }: FrozenFiles,
  journal: ReplayJournal,
): number {
  let bytes = bytesOfReplays(directory, journal);
  for (const file of LOG_FILES) {
    bytes += checkpoint.files[file]?.length ?? 0;
    for (const { path } of closedSegments(directory, file)) bytes += bytesOfClosed(path);
  }
  return bytes;
}

/** Offsets that were read; where a topic was created again, the range given up leads backwards. */
export function availableOffsets({ first_offset, next_offset, lost }: PartitionCheckpoint): number {
  return lost.reduce((offsets, { from, to }) => offsets - (to - from), next_offset - first_offset);
}
