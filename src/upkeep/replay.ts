/**
 * Sends the quarantine through the current parser and stores what is accepted now, exactly once for each
 * offset, however often it is run and wherever it is killed. The active files belong to the writer of a
 * running service alone, so the lines go into closed segments of their own (replay-run.ts), in the archive
 * of the instance whose quarantine they come from.
 */
import type { Clock } from '../core/clock.ts';
import { messageOf, ServiceError } from '../core/errors.ts';
import type { LogFile } from '../core/files.ts';
import { OffsetSet } from '../core/offset-set.ts';
import { partitionKey } from '../core/offsets.ts';
import type { QuarantineEntry, Reparse, Reparsed } from '../core/quarantine-entry.ts';
import type { DirectoryLock } from '../storage/lock.ts';
import { lockReplay } from '../storage/lock.ts';
import { parseQuarantineEntry } from '../storage/quarantine-entry.ts';
import { loadReplayJournal, type ReplaySegment, replayedOffsets } from '../storage/replay-journal.ts';
import { bytesOf, linesOf, quarantinePieces } from './quarantine-pieces.ts';
import { ReplayRun, removeLeftovers } from './replay-run.ts';
import { instancesOf, type Subject, settledView } from './settled-view.ts';

export interface ReplayOptions {
  readonly root: string;
  readonly reparse: Reparse;
  /** A run ends when one of its segments has so many bytes, and the next begins. */
  readonly maxFileBytes: number;
  /** Only entries that were quarantined for this reason; all when undefined. */
  readonly reason: string | undefined;
  /** Says what would be stored, and stores nothing. */
  readonly dryRun: boolean;
  readonly clock: Clock;
  /** See settled-view.ts. */
  readonly settleMs?: number;
  /** @param share of the bytes that were read, 0 to 1 */
  readonly onProgress?: (share: number) => void;
}

export interface ReplayReport {
  readonly dry_run: boolean;
  /** Records that are in service_logs now, and were not before. */
  readonly stored: number;
  /** The same in every kind of file. */
  readonly files: Readonly<Partial<Record<LogFile, number>>>;
  /** Accepted now, and below the minimum level: counted, not stored, and not tried again. */
  readonly filtered: number;
  /** Dealt with by an earlier replay. */
  readonly already_replayed: number;
  /** Records that stay as they are, by the reason that the parser gives now. */
  readonly remaining: Readonly<Record<string, number>>;
  /** Lines that are not entries. */
  readonly unreadable: number;
  /** Below the output directory of their instance. */
  readonly segments: readonly string[];
  readonly instances: readonly string[];
}

/**
 * @throws ServiceError DIRECTORY_LOCKED while another replay runs, CHECKPOINT_CORRUPT or FILE_CORRUPT for
 *   damaged state, WRITE_FAILED or SYNC_FAILED when the disk refuses; what was not finished has not
 *   happened then
 */
export async function replay(options: ReplayOptions): Promise<ReplayReport> {
  const instances = instancesOf(options.root);
  const locks: DirectoryLock[] = [];
  const view = await settledView(instances, options.clock, options.settleMs, () => options.onProgress?.(0));
  try {
    if (!options.dryRun) {
      for (const { directory } of instances) locks.push(lockReplay(directory));
      for (const { directory } of instances) removeLeftovers(directory);
    }
    const replay = new Replay(options, view.subjects);
    for (const subject of view.subjects) await replay.instance(subject);
    return replay.report();
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw new ServiceError(
      'WRITE_FAILED',
      `The replay below ${options.root} failed (${messageOf(error)}): nothing of the unfinished part is stored; see to the disk and run it again.`,
      { root: options.root },
      error,
    );
  } finally {
    for (const lock of locks) lock.release();
    view.close();
  }
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #subjects: readonly Subject[];
  /** What runs before this one, and this one, have dealt with. */
  readonly #done: Map<string, OffsetSet>;
  readonly #total: number;
  readonly #files: Partial<Record<LogFile, number>> = {};
  readonly #remaining: Record<string, number> = {};
  readonly #segments: string[] = [];
  #read = 0;
  #filtered = 0;
  #already = 0;
  #unreadable = 0;

  constructor(options: ReplayOptions, subjects: readonly Subject[]) {
    this.#options = options;
    this.#subjects = subjects;
    this.#done = replayedOffsets(subjects.map(({ directory }) => loadReplayJournal(directory)));
    this.#total = subjects.reduce((sum, subject) => sum + bytesOf(piecesOf(subject)), 0);
  }

  async instance(subject: Subject): Promise<void> {
    const { clock, maxFileBytes, dryRun } = this.#options;
    const { directory, files } = subject;
    const { instance } = files.checkpoint;
    const begin = () => (dryRun ? undefined : new ReplayRun({ directory, instance, clock }));
    let run = begin();
    try {
      for (const piece of quarantinePieces(directory, files)) {
        for await (const lines of linesOf(piece, 0, (count) => this.#progress(count))) {
          for (const line of lines) this.#line(line, run);
          if (run === undefined || run.bytes < maxFileBytes) continue;
          this.#finished(run.finish());
          run = begin();
        }
      }
      if (run !== undefined) this.#finished(run.finish());
    } catch (error) {
      run?.abandon();
      throw error;
    }
  }

  report(): ReplayReport {
    return {
      dry_run: this.#options.dryRun,
      stored: this.#files.service_logs ?? 0,
      files: this.#files,
      filtered: this.#filtered,
      already_replayed: this.#already,
      remaining: this.#remaining,
      unreadable: this.#unreadable,
      segments: this.#segments,
      instances: this.#subjects.map(({ name }) => name),
    };
  }

  #line(line: Buffer, run: ReplayRun | undefined): void {
    const entry = parseQuarantineEntry(line);
    if (entry === undefined) {
      this.#unreadable += 1;
      return;
    }
    if (this.#options.reason !== undefined && entry.reason !== this.#options.reason) return;
    const key = partitionKey(entry.topic, entry.partition);
    const done = this.#done.get(key) ?? new OffsetSet();
    this.#done.set(key, done);
    for (const { from, to } of done.within(entry.offset, entry.lastOffset + 1)) this.#already += to - from;
    this.#options.reparse(
      entry,
      (offset) => done.has(offset),
      (record) => this.#record(entry, record, done, run),
    );
  }

  #record(entry: QuarantineEntry, record: Reparsed, done: OffsetSet, run: ReplayRun | undefined): void {
    if (record.kind === 'refused') {
      this.#remaining[record.reason] = (this.#remaining[record.reason] ?? 0) + record.records;
      return;
    }
    done.add(record.offset);
    if (record.kind === 'filtered') {
      this.#filtered += 1;
      run?.leaveOut(entry, record.offset);
      return;
    }
    for (const file of ['service_logs', ...record.categories] as const) {
      this.#files[file] = (this.#files[file] ?? 0) + 1;
    }
    run?.store(entry, record);
  }

  #finished(segments: readonly ReplaySegment[]): void {
    this.#segments.push(...segments.map(({ base }) => base));
  }

  #progress(count: number): void {
    this.#read += count;
    this.#options.onProgress?.(this.#total === 0 ? 1 : Math.min(1, this.#read / this.#total));
  }
}

function piecesOf({ directory, files }: Subject): ReturnType<typeof quarantinePieces> {
  return quarantinePieces(directory, files);
}
