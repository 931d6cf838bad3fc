/**
 * One active log file: whole lines only, appended by this thread alone.
 *
 * Invariant: `length`, `crc` and `records` describe exactly the bytes of the file; after a
 * failed append the writer restores the mark it took before.
 */
import { closeSync, fdatasync, ftruncateSync, openSync, writevSync } from 'node:fs';
import { promisify } from 'node:util';
import type { LogFile } from '../core/files.ts';
import { invariant } from '../core/invariant.ts';
import type { LineFacts, WriteUnit } from '../core/messages.ts';
import { partitionKey } from '../core/offsets.ts';
import type { ActiveFileCheckpoint } from '../storage/checkpoint.ts';
import { extendChecksum, formatChecksum, parseChecksum } from '../storage/checksum.ts';
import { addTotals, FactsAccumulator, NO_FACTS, NO_TOTALS, type RecordTotals } from '../storage/facts.ts';
import { failAsSync } from './checkpoint-store.ts';

const fdatasyncAsync = promisify(fdatasync);

/** Where a file stood; restoring it undoes every append since. */
export interface SegmentMark {
  readonly length: number;
  readonly crc: number;
  readonly records: number;
}

/** The kernel takes at most IOV_MAX (1,024 on Linux) parts per writev. */
const MAX_PARTS = 1024;

export class ActiveSegment {
  readonly file: LogFile;
  readonly number: number;
  openedAtMs: number;
  readonly startOffsets: Readonly<Record<string, number>>;
  length: number;
  crc: number;
  records: number;
  totals: RecordTotals;
  /** By partition; undefined where the checkpoint did not know. */
  readonly #partitionTotals: Map<string, RecordTotals> | undefined;
  readonly #facts: FactsAccumulator;
  readonly #path: string;
  readonly #descriptor: number;
  #dirty = false;

  private constructor(file: LogFile, path: string, state: ActiveFileCheckpoint) {
    this.file = file;
    this.number = state.number;
    this.openedAtMs = Date.parse(state.opened_at);
    this.startOffsets = state.start_offsets;
    this.length = state.length;
    this.records = state.records;
    this.totals = state.totals;
    const { partition_totals: known } = state;
    this.#partitionTotals = known === undefined ? undefined : new Map(Object.entries(known));
    this.#facts = new FactsAccumulator(state.facts);
    const crc = parseChecksum(state.crc32c);
    invariant(crc !== undefined, `checksum ${state.crc32c} of ${file} in the checkpoint is not one of ours`);
    this.crc = crc;
    this.#path = path;
    this.#descriptor = openSync(path, 'a');
  }

  /** Continues a file where the checkpoint left it; recovery has cut it to that length. */
  static reopen(file: LogFile, path: string, state: ActiveFileCheckpoint): ActiveSegment {
    return new ActiveSegment(file, path, state);
  }

  static create(
    file: LogFile,
    path: string,
    number: number,
    nowMs: number,
    startOffsets: Readonly<Record<string, number>>,
  ): ActiveSegment {
    return new ActiveSegment(file, path, emptySegment(number, nowMs, startOffsets));
  }

  /**
   * Appends the parts. A segment's age counts from its first line.
   * @throws the system error of the write; the caller then restores the mark it took before
   */
  append(parts: readonly Uint8Array[], records: number, nowMs: number): void {
    if (this.length === 0) this.openedAtMs = nowMs;
    this.#dirty = true;
    for (let first = 0; first < parts.length; first += MAX_PARTS) {
      this.#writeVector(parts.slice(first, first + MAX_PARTS));
    }
    for (const part of parts) {
      this.crc = extendChecksum(this.crc, part);
      this.length += part.length;
    }
    this.records += records;
  }

  mark(): SegmentMark {
    return { length: this.length, crc: this.crc, records: this.records };
  }

  /** Cuts the file back to where it stood at the mark. */
  restore(mark: SegmentMark): void {
    ftruncateSync(this.#descriptor, mark.length);
    this.length = mark.length;
    this.crc = mark.crc;
    this.records = mark.records;
  }

  /** Counts a unit that ended in this segment's time, whether or not it left lines here. */
  account({ topic, partition, counts, facts }: WriteUnit): void {
    this.totals = addTotals(this.totals, counts);
    const key = partitionKey(topic, partition);
    this.#partitionTotals?.set(key, addTotals(this.#partitionTotals.get(key) ?? NO_TOTALS, counts));
    this.#facts.add(facts);
  }

  /** What `account` counted by partition, as a part of what is written of the segment. */
  partitionTotals(): Readonly<Record<string, RecordTotals>> | undefined {
    return this.#partitionTotals === undefined ? undefined : Object.fromEntries(this.#partitionTotals);
  }

  /** Makes everything appended so far durable; does nothing when nothing was appended since. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    await failAsSync(this.#path, fdatasyncAsync(this.#descriptor));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  facts(): LineFacts {
    return this.#facts.snapshot();
  }

  checkpoint(): ActiveFileCheckpoint {
    const partitionTotals = this.partitionTotals();
    return {
      number: this.number,
      opened_at: new Date(this.openedAtMs).toISOString(),
      length: this.length,
      crc32c: formatChecksum(this.crc),
      records: this.records,
      facts: this.facts(),
      start_offsets: this.startOffsets,
      totals: this.totals,
      ...(partitionTotals === undefined ? {} : { partition_totals: partitionTotals }),
    };
  }

  /** A write may be short (a signal, a nearly full disk): go on with what is left until it fails. */
  #writeVector(parts: Uint8Array[]): void {
    let rest = parts;
    while (rest.length > 0) rest = dropBytes(rest, writevSync(this.#descriptor, rest));
  }
}

/** The state of a segment without lines. */
export function emptySegment(
  number: number,
  nowMs: number,
  startOffsets: Readonly<Record<string, number>>,
): ActiveFileCheckpoint {
  return {
    number,
    opened_at: new Date(nowMs).toISOString(),
    length: 0,
    crc32c: formatChecksum(0),
    records: 0,
    facts: NO_FACTS,
    start_offsets: startOffsets,
    totals: NO_TOTALS,
    partition_totals: {},
  };
}

function dropBytes(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (let part = parts[index]; part !== undefined && left >= part.length; part = parts[++index]) {
    left -= part.length;
  }
  const rest = parts.slice(index);
  const head = rest[0];
  if (head !== undefined && left > 0) rest[0] = head.subarray(left);
  return rest;
}
