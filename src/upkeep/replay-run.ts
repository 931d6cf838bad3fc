/**
 * One run of a replay: up to one segment for each kind of file, and the offsets that are in them.
 *
 * Lines go to temporary files. `finish` makes these durable, gives them their names and their facts, and
 * then lists them in the journal: that last replacement is the moment at which the run has happened.
 * Whatever a crash before it leaves is removed by the next replay, and everything is done again.
 */
import { closeSync, fsyncSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import { OffsetSet } from '../core/offset-set.ts';
import { partitionKey } from '../core/offsets.ts';
import type { QuarantineEntry, Reparsed } from '../core/quarantine-entry.ts';
import { extendChecksum, formatChecksum } from '../storage/checksum.ts';
import {
  fileSize,
  makeDirectoryDurable,
  renameDurable,
  replaceFileDurable,
} from '../storage/durable-file.ts';
import { FactsAccumulator, type SegmentFacts, storedLineFacts } from '../storage/facts.ts';
import {
  ARCHIVE_DIRECTORY,
  parseReplaySegmentName,
  replaySegmentBaseName,
  SEGMENT_SUFFIX,
} from '../storage/layout.ts';
import {
  loadReplayJournal,
  type ReplayJournal,
  type ReplaySegment,
  saveReplayJournal,
} from '../storage/replay-journal.ts';
import { syncFailure } from '../storage/sync-failure.ts';

/** Lines are collected up to this before they are written. */
const WRITE_BYTES = 1024 * 1024;

type Stored = Extract<Reparsed, { kind: 'stored' }>;

interface PartitionOffsets {
  readonly stored: OffsetSet;
  readonly filtered: OffsetSet;
}

export interface ReplayRunOptions {
  readonly directory: string;
  /** As the checkpoint names it. */
  readonly instance: string;
  readonly clock: Clock;
}

export class ReplayRun {
  readonly #options: ReplayRunOptions;
  readonly #journal: ReplayJournal;
  readonly #begunAtMs: number;
  readonly #segments = new Map<LogFile, OpenSegment>();
  readonly #partitions = new Map<string, PartitionOffsets>();
  readonly #facts = new FactsAccumulator();

  constructor(options: ReplayRunOptions) {
    this.#options = options;
    this.#journal = loadReplayJournal(options.directory);
    this.#begunAtMs = options.clock.now();
  }

  /** Of the longest segment. */
  get bytes(): number {
    return Math.max(0, ...[...this.#segments.values()].map(({ bytes }) => bytes));
  }

  store(entry: QuarantineEntry, record: Stored): void {
    for (const file of ['service_logs', ...record.categories] as const)
      this.#segment(file).append(record.line);
    this.#facts.add(record.facts);
    this.#offsets(entry).stored.add(record.offset);
  }

  leaveOut(entry: QuarantineEntry, offset: number): void {
    this.#offsets(entry).filtered.add(offset);
  }

  /** Makes the run happen. @returns its segments; nothing is written when there is nothing to say */
  finish(): readonly ReplaySegment[] {
    if (this.#partitions.size === 0) return [];
    const segments = [...this.#segments.values()].map((segment) => this.#close(segment));
    const numbers = Object.fromEntries(segments.map(({ file, number }) => [file, number]));
    const partitions = [...this.#partitions].map(([key, { stored, filtered }]) => {
      return [key, { stored: stored.encode(), filtered: filtered.encode() }] as const;
    });
    const run = {
      finished_at: this.#now(),
      segments,
      partitions: Object.fromEntries(partitions),
    };
    saveReplayJournal(this.#options.directory, {
      ...this.#journal,
      numbers: { ...this.#journal.numbers, ...numbers },
      runs: [...this.#journal.runs, run],
    });
    return segments;
  }

  /** Closes what is open; the files are leftovers then. */
  abandon(): void {
    for (const segment of this.#segments.values()) segment.close();
  }

  #segment(file: LogFile): OpenSegment {
    const known = this.#segments.get(file);
    if (known !== undefined) return known;
    const number = (this.#journal.numbers[file] ?? 0) + 1;
    const base = replaySegmentBaseName(file, number, this.#begunAtMs);
    const segment = new OpenSegment(file, number, base, join(this.#options.directory, base));
    this.#segments.set(file, segment);
    return segment;
  }

  #offsets({ topic, partition }: QuarantineEntry): PartitionOffsets {
    const key = partitionKey(topic, partition);
    const known = this.#partitions.get(key);
    if (known !== undefined) return known;
    const offsets = { stored: new OffsetSet(), filtered: new OffsetSet() };
    this.#partitions.set(key, offsets);
    return offsets;
  }

  #close(segment: OpenSegment): ReplaySegment {
    const { file, number, base, path } = segment;
    segment.sync();
    segment.close();
    const { records, bytes, crc32c } = segment;
    renameDurable(segment.temporary, path + SEGMENT_SUFFIX.plain);
    const facts: SegmentFacts = {
      version: 1,
      file,
      number,
      series: 'replay',
      instance: this.#options.instance,
      records,
      bytes,
      crc32c,
      opened_at: new Date(this.#begunAtMs).toISOString(),
      closed_at: this.#now(),
      ...(file === 'service_logs' ? { lines: storedLineFacts(this.#facts.snapshot()) } : {}),
    };
    replaceFileDurable(path + SEGMENT_SUFFIX.facts, `${JSON.stringify(facts)}\n`);
    return { file, number, base, records, bytes, crc32c };
  }

  #now(): string {
    return new Date(this.#options.clock.now()).toISOString();
  }
}

/** A segment under its temporary name. */
class OpenSegment {
  readonly file: LogFile;
  readonly number: number;
  readonly base: string;
  /** Absolute, without suffix. */
  readonly path: string;
  bytes = 0;
  records = 0;
  #crc = 0;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #descriptor: number | undefined;

  constructor(file: LogFile, number: number, base: string, path: string) {
    this.file = file;
    this.number = number;
    this.base = base;
    this.path = path;
    makeDirectoryDurable(dirname(path));
    this.#descriptor = openSync(this.temporary, 'w');
  }

  get temporary(): string {
    return `${this.path}${SEGMENT_SUFFIX.plain}.tmp`;
  }

  get crc32c(): string {
    return formatChecksum(this.#crc);
  }

  append(line: Uint8Array): void {
    this.#waiting.push(Buffer.from(line));
    this.#waitingBytes += line.length;
    this.bytes += line.length;
    this.records += 1;
    this.#crc = extendChecksum(this.#crc, line);
    if (this.#waitingBytes >= WRITE_BYTES) this.#flush();
  }

  sync(): void {
    this.#flush();
    if (this.#descriptor === undefined) return;
    try {
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw syncFailure(this.temporary, error);
    }
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    closeSync(descriptor);
  }

  #flush(): void {
    if (this.#descriptor === undefined || this.#waitingBytes === 0) return;
    writeFileSync(this.#descriptor, Buffer.concat(this.#waiting));
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

/** Removes the files of runs that never finished. Only whoever holds the lock of the replay may. */
export function removeLeftovers(directory: string): void {
  const listed = new Set(
    loadReplayJournal(directory).runs.flatMap(({ segments }) => segments.map(({ base }) => base)),
  );
  for (const file of LOG_FILES) {
    const kind = `${ARCHIVE_DIRECTORY}/${file}`;
    for (const day of namesIn(join(directory, kind))) {
      for (const name of namesIn(join(directory, kind, day))) {
        const parsed = parseReplaySegmentName(name);
        if (parsed === undefined || listed.has(`${kind}/${day}/${parsed.base}`)) continue;
        rmSync(join(directory, kind, day, name), { force: true });
      }
    }
  }
}

function namesIn(directory: string): string[] {
  return fileSize(directory) === undefined ? [] : readdirSync(directory).sort();
}
