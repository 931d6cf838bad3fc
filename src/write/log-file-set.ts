/** The active files together: what a group of units appends, what a checkpoint says of them, rotation. */
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { messageOf, ServiceError } from '../core/errors.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import { invariant } from '../core/invariant.ts';
import type { WriterOptions, WriteUnit } from '../core/messages.ts';
import type { Checkpoint, PendingRename } from '../storage/checkpoint.ts';
import { formatChecksum } from '../storage/checksum.ts';
import { syncDirectory } from '../storage/durable-file.ts';
import { type FilePosition, type SegmentFacts, storedLineFacts } from '../storage/facts.ts';
import { activePath, segmentBaseName } from '../storage/layout.ts';
import { finishRename } from '../storage/recovery.ts';
import { ActiveSegment, emptySegment, type SegmentMark } from './active-segment.ts';
import type { PartitionAccounts } from './partition-accounts.ts';
import { mustRotate } from './rotation-policy.ts';

/** Only this file accounts for offsets: every consumed record passes it, stored or not. */
const ACCOUNTING_FILE: LogFile = 'service_logs';

export interface ClosedFile {
  readonly file: LogFile;
  readonly path: string;
  readonly bytes: number;
  readonly records: number;
}

export class LogFileSet {
  readonly #options: WriterOptions;
  readonly #clock: Clock;
  readonly #accounts: PartitionAccounts;
  readonly #segments = new Map<LogFile, ActiveSegment>();
  readonly #directoryId: string;
  #pendingRenames: readonly PendingRename[] = [];

  constructor(options: WriterOptions, checkpoint: Checkpoint, clock: Clock, accounts: PartitionAccounts) {
    this.#options = options;
    this.#clock = clock;
    this.#accounts = accounts;
    this.#directoryId = checkpoint.directory_id;
    for (const file of LOG_FILES) {
      const state = checkpoint.files[file];
      const path = activePath(options.directory, file);
      const segment =
        state === undefined
          ? ActiveSegment.create(file, path, 1, clock.now(), {})
          : ActiveSegment.reopen(file, path, state);
      this.#segments.set(file, segment);
    }
    syncDirectory(options.directory);
  }

  /** How many of the units fit before some file must be rotated, and which files those are. */
  plan(units: readonly WriteUnit[]): { readonly fitting: number; readonly rotating: readonly LogFile[] } {
    const lengths = new Map(LOG_FILES.map((file) => [file, this.#segment(file).length]));
    const now = this.#clock.now();
    for (const [index, unit] of units.entries()) {
      const rotating = LOG_FILES.filter((file) => {
        const state = { length: lengths.get(file) ?? 0, openedAtMs: this.#segment(file).openedAtMs };
        const incoming = regionBytes(unit, file);
        return incoming > 0 && mustRotate(state, incoming, now, this.#options);
      });
      if (rotating.length > 0) return { fitting: index, rotating };
      for (const file of LOG_FILES) lengths.set(file, (lengths.get(file) ?? 0) + regionBytes(unit, file));
    }
    return { fitting: units.length, rotating: [] };
  }

  /**
   * Appends the lines of all units to their files, or leaves every file as it was.
   * @throws the system error of the first write that failed
   */
  append(units: readonly WriteUnit[]): void {
    const marks = new Map([...this.#segments].map(([file, segment]) => [file, segment.mark()]));
    try {
      for (const file of LOG_FILES) this.#appendTo(file, units);
    } catch (error) {
      this.#restore(marks);
      throw error;
    }
  }

  /** Counts what the units brought, in the segment that is open now. */
  account(units: readonly WriteUnit[]): void {
    const segment = this.#segment(ACCOUNTING_FILE);
    for (const unit of units) segment.account(unit);
  }

  /** Makes all appended lines durable. */
  async sync(): Promise<void> {
    await Promise.all([...this.#segments.values()].map((segment) => segment.sync()));
  }

  lengths(): Record<LogFile, number> {
    const lengths = Object.fromEntries([...this.#segments].map(([file, segment]) => [file, segment.length]));
    return lengths as Record<LogFile, number>;
  }

  /**
   * The checkpoint of this moment; files that rotate appear closed, with an empty successor.
   * @param acknowledged sequence of the checkpoint that Kafka has taken
   */
  snapshot(sequence: number, acknowledged: number, rotating: readonly LogFile[]): Checkpoint {
    const now = this.#clock.now();
    const openedAt = new Date(now).toISOString();
    const files: Record<string, Checkpoint['files'][LogFile]> = {};
    for (const [file, segment] of this.#segments) {
      files[file] = rotating.includes(file)
        ? emptySegment(segment.number + 1, now, this.#startOffsets(file))
        : segment.checkpoint();
    }
    this.#pendingRenames = rotating.map((file) => this.#pendingRename(file, now, rotating));
    return {
      version: 2,
      instance: this.#options.instance,
      directory_id: this.#directoryId,
      sequence,
      acknowledged,
      written_at: openedAt,
      partitions: this.#accounts.checkpoint(),
      files,
      pending_renames: this.#pendingRenames,
      pending_returns: [],
    };
  }

  /**
   * Renames the files that the last snapshot closed, and opens their successors. After a failure it
   * can be called again and goes on where it stopped.
   */
  finishRotation(onClosed: (closed: ClosedFile) => void): void {
    for (let rename = this.#pendingRenames[0]; rename !== undefined; rename = this.#pendingRenames[0]) {
      onClosed(this.#finish(rename));
      this.#pendingRenames = this.#pendingRenames.slice(1);
    }
    syncDirectory(this.#options.directory);
  }

  /** Files that are too old, whether or not anything more comes for them. */
  aged(): LogFile[] {
    const now = this.#clock.now();
    return LOG_FILES.filter((file) => mustRotate(this.#segment(file), 0, now, this.#options));
  }

  /** May be called again: a descriptor that is closed twice can be somebody else's by then. */
  close(): void {
    for (const segment of this.#segments.values()) segment.close();
    this.#segments.clear();
  }

  /** A file with torn lines must not be appended to again, so a failure here is final. */
  #restore(marks: ReadonlyMap<LogFile, SegmentMark>): void {
    try {
      for (const [file, mark] of marks) this.#segment(file).restore(mark);
    } catch (error) {
      const { directory } = this.#options;
      throw new ServiceError(
        'WRITE_FAILED',
        `The files in ${directory} could not be cut back after a failed write (${messageOf(error)}): check the disk; a restart cuts them to the last checkpoint.`,
        { directory },
        error,
      );
    }
  }

  #finish(rename: PendingRename): ClosedFile {
    const { file } = rename;
    const { directory } = this.#options;
    finishRename(directory, rename);
    const path = activePath(directory, file);
    const next = ActiveSegment.create(
      file,
      path,
      rename.facts.number + 1,
      this.#clock.now(),
      this.#startOffsets(file),
    );
    // Only now, since a descriptor must not be closed twice when opening the next file has to be retried.
    const previous = this.#segment(file);
    this.#segments.set(file, next);
    previous.close();
    return {
      file,
      path: join(directory, rename.base),
      bytes: rename.facts.bytes,
      records: rename.facts.records,
    };
  }

  #appendTo(file: LogFile, units: readonly WriteUnit[]): void {
    const parts: Uint8Array[] = [];
    let records = 0;
    for (const unit of units) {
      if (unit.output === null) continue;
      for (const region of unit.regions) {
        if (region.file !== file) continue;
        parts.push(new Uint8Array(unit.output, region.start, region.end - region.start));
        records += region.records;
      }
    }
    if (parts.length > 0) this.#segment(file).append(parts, records, this.#clock.now());
  }

  #pendingRename(file: LogFile, now: number, rotating: readonly LogFile[]): PendingRename {
    const segment = this.#segment(file);
    return {
      file,
      base: segmentBaseName(file, segment.number, now),
      facts: this.#segmentFacts(segment, now, rotating),
    };
  }

  #segmentFacts(segment: ActiveSegment, now: number, rotating: readonly LogFile[]): SegmentFacts {
    return {
      version: 1,
      file: segment.file,
      number: segment.number,
      instance: this.#options.instance,
      records: segment.records,
      bytes: segment.length,
      crc32c: formatChecksum(segment.crc),
      opened_at: new Date(segment.openedAtMs).toISOString(),
      closed_at: new Date(now).toISOString(),
      ...(segment.file === ACCOUNTING_FILE ? this.#accountingFacts(segment, rotating) : {}),
    };
  }

  #accountingFacts(
    segment: ActiveSegment,
    rotating: readonly LogFile[],
  ): Pick<SegmentFacts, 'lines' | 'accounts' | 'alongside'> {
    const partitions = segment.partitionTotals();
    return {
      lines: storedLineFacts(segment.facts()),
      accounts: {
        offsets: this.#accounts.rangesSince(segment.startOffsets),
        totals: segment.totals,
        ...(partitions === undefined ? {} : { partitions }),
      },
      alongside: this.#othersAfter(rotating),
    };
  }

  /** Where the other files stand once those that rotate have done so. */
  #othersAfter(rotating: readonly LogFile[]): Record<string, FilePosition> {
    const others = [...this.#segments].filter(([file]) => file !== ACCOUNTING_FILE);
    return Object.fromEntries(
      others.map(([file, { number, length, crc, records }]) => [
        file,
        rotating.includes(file)
          ? { number: number + 1, length: 0, crc32c: formatChecksum(0), records: 0 }
          : { number, length, crc32c: formatChecksum(crc), records },
      ]),
    );
  }

  #startOffsets(file: LogFile): Record<string, number> {
    return file === ACCOUNTING_FILE ? this.#accounts.nextOffsets() : {};
  }

  #segment(file: LogFile): ActiveSegment {
    const segment = this.#segments.get(file);
    invariant(segment !== undefined, `no active segment for ${file}`);
    return segment;
  }
}

function regionBytes(unit: WriteUnit, file: LogFile): number {
  let bytes = 0;
  for (const region of unit.regions) {
    if (region.file === file) bytes += region.end - region.start;
  }
  return bytes;
}
