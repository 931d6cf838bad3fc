/**
 * Seals one closed segment: `<segment>.jsonl` becomes `<segment>.jsonl.gz` (or `.zst`, `.lz4`), for
 * `service_logs` with `<segment>.parquet` beside it.
 *
 * What is new is written under temporary names, synced, read back and compared, and what went into it is
 * compared with what the writer recorded; only then is it renamed, then the facts are replaced, and the
 * plain file goes last. A crash at any point leaves the plain file, and doing it again gives the same.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import PQueue from 'p-queue';
import { MEMBER_BYTES } from '../../core/limits.ts';
import { SEAL_FORMATS, type SealFormat } from '../../core/seal-format.ts';
import { extendChecksum, formatChecksum } from '../../storage/checksum.ts';
import { fileSize, replaceFileDurable, syncDirectory } from '../../storage/durable-file.ts';
import type { ColumnsFacts, SealedFacts, SegmentFacts } from '../../storage/facts.ts';
import { hashFile } from '../../storage/file-hash.ts';
import { SEGMENT_SUFFIX, TEMPORARY_SUFFIX } from '../../storage/layout.ts';
import { readSegmentFacts } from '../../storage/segment-facts.ts';
import { type ColumnsOptions, type Rows, writeColumns } from './columns.ts';
import { COMPRESSIONS } from './compression.ts';
import { countNewlines, plainLines } from './plain-lines.ts';
import { type LineJudge, RowWriter } from './row-writer.ts';

export interface SealOptions {
  readonly format: SealFormat;
  /** 1 (fast) to 9 (small). */
  readonly level: number;
  /** Called before each piece of work; false to give up. */
  readonly turn: (signal: AbortSignal) => Promise<boolean>;
  /** For the columnar sidecar of `service_logs`. */
  readonly columns: ColumnsOptions & {
    /** Makes a judge for one segment. */
    readonly judge: () => LineJudge;
  };
}

export interface SealedSegment {
  /** Of the compressed file. */
  readonly path: string;
  readonly plainBytes: number;
  /** Of everything that took the plain file's place. */
  readonly sealedBytes: number;
}

/** One at a time has all the memory that there is for them. */
const sidecars = new PQueue({ concurrency: 1 });

/** The file is no longer what was written to it: sealing it again would not help. */
export class AlteredSegment extends Error {}

/**
 * @param path of a closed segment, without suffix
 * @returns undefined when it was given up because `signal` aborted
 * @throws AlteredSegment, or whatever the disk says
 */
export async function sealSegment(
  path: string,
  options: SealOptions,
  signal: AbortSignal,
): Promise<SealedSegment | undefined> {
  const facts = readSegmentFacts(path);
  // Whoever did it died before a word of it.
  if (facts.sealed !== undefined && fileSize(path + SEGMENT_SUFFIX.plain) === undefined) {
    return sealedFrom(path, facts, facts.sealed);
  }
  const target = path + SEGMENT_SUFFIX[options.format];
  const parquet = path + SEGMENT_SUFFIX.columns;
  const rows = join(options.columns.temporaryDirectory, `${basename(path)}.rows`);
  const temporaries = [target + TEMPORARY_SUFFIX, parquet + TEMPORARY_SUFFIX, rows];
  try {
    const written = await writeMembers(path, facts, rows, options, signal);
    if (written === undefined) return undefined;
    await requireHash(target + TEMPORARY_SUFFIX, written.sealed.sha256);
    const { sealed, lines: count, longestRowBytes: longestBytes } = written;
    if (!(await options.turn(signal))) return undefined;
    const columns =
      longestBytes === undefined
        ? undefined
        : await writeSidecar(path, { path: rows, count, longestBytes }, written, options);
    await install(path, options.format, { ...facts, sealed, ...(columns && { columns }) });
    return sealedFrom(path, { ...facts, columns }, sealed);
  } finally {
    // Given up or failed: on a full disk above all, half a file must not stay.
    for (const temporary of temporaries) await rm(temporary, { force: true });
  }
}

function sealedFrom(
  path: string,
  { bytes, columns }: Pick<SegmentFacts, 'bytes'> & { readonly columns?: ColumnsFacts | undefined },
  sealed: SealedFacts,
): SealedSegment {
  return {
    path: path + SEGMENT_SUFFIX[sealed.format],
    plainBytes: bytes,
    sealedBytes: sealed.bytes + (columns?.bytes ?? 0),
  };
}

/** What was compressed, as it went through. */
interface Written {
  readonly sealed: SealedFacts;
  readonly plainBytes: number;
  readonly crc32c: string;
  readonly lines: number;
  /** Undefined when no rows were written. */
  readonly longestRowBytes: number | undefined;
}

async function writeMembers(
  path: string,
  facts: SegmentFacts,
  rows: string,
  options: SealOptions,
  signal: AbortSignal,
): Promise<Written | undefined> {
  const members = new MemberWriter(
    await open(path + SEGMENT_SUFFIX[options.format] + TEMPORARY_SUFFIX, 'w'),
    options,
  );
  const rowFile = facts.file === 'service_logs' ? await open(rows, 'w') : undefined;
  try {
    const rowWriter = rowFile && new RowWriter(options.columns.judge(), rowFile);
    let foreign = 0;
    for await (const lines of plainLines(path + SEGMENT_SUFFIX.plain, MEMBER_BYTES)) {
      if (!(await options.turn(signal))) return undefined;
      const count = await members.write(lines);
      if (rowWriter !== undefined) foreign += await rowWriter.write(lines, count);
    }
    // Before that, a line of another form is what a changed file holds.
    const written = { ...(await members.finish()), longestRowBytes: rowWriter?.longestBytes };
    requireEqual(path, written, facts);
    if (foreign > 0)
      throw new AlteredSegment(
        `${path}${SEGMENT_SUFFIX.plain} holds ${foreign} lines that are not of the form of service_logs: it stays as it is.`,
      );
    return written;
  } finally {
    await members.close();
    await rowFile?.close();
  }
}

/** Compresses pieces of whole lines into one file. */
class MemberWriter {
  readonly #file: FileHandle;
  readonly #options: SealOptions;
  readonly #hash: Hash = createHash('sha256');
  readonly #members: [number, number][] = [];
  #crc = 0;
  #lines = 0;
  #plainBytes = 0;
  #bytes = 0;

  constructor(file: FileHandle, options: SealOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** @returns the number of lines */
  async write(lines: Buffer): Promise<number> {
    const { format, level } = this.#options;
    const compression = COMPRESSIONS[format];
    const member = await compression.compress(lines, level);
    if (!(await compression.decompress(member, lines.length)).equals(lines)) {
      throw new Error(`a ${format} member does not decompress to what went in`);
    }
    await this.#file.writeFile(member);
    this.#hash.update(member);
    this.#members.push([member.length, lines.length]);
    this.#bytes += member.length;
    this.#plainBytes += lines.length;
    this.#crc = extendChecksum(this.#crc, lines);
    const count = countNewlines(lines);
    this.#lines += count;
    return count;
  }

  async finish(): Promise<Omit<Written, 'longestRowBytes'>> {
    await this.#file.sync();
    return {
      sealed: {
        format: this.#options.format,
        bytes: this.#bytes,
        sha256: this.#hash.digest('hex'),
        members: this.#members,
      },
      plainBytes: this.#plainBytes,
      crc32c: formatChecksum(this.#crc),
      lines: this.#lines,
    };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Writes the sidecar under its temporary name. */
async function writeSidecar(
  path: string,
  rows: Rows,
  { crc32c }: Written,
  { columns }: SealOptions,
): Promise<ColumnsFacts> {
  const temporary = path + SEGMENT_SUFFIX.columns + TEMPORARY_SUFFIX;
  await sidecars.add(() => writeColumns(rows, temporary, { segment: basename(path), crc32c }, columns));
  return hashFile(temporary);
}

/** Puts what was written in the place of the plain file. */
async function install(path: string, format: SealFormat, facts: SegmentFacts): Promise<void> {
  const target = path + SEGMENT_SUFFIX[format];
  await rename(target + TEMPORARY_SUFFIX, target);
  if (facts.columns !== undefined) {
    const parquet = path + SEGMENT_SUFFIX.columns;
    await rename(parquet + TEMPORARY_SUFFIX, parquet);
  }
  // A try in another format may have come as far as this before a crash.
  for (const other of SEAL_FORMATS) {
    if (other !== format) await rm(path + SEGMENT_SUFFIX[other], { force: true });
  }
  syncDirectory(dirname(path));
  replaceFileDurable(path + SEGMENT_SUFFIX.facts, `${JSON.stringify(facts)}\n`);
  await rm(path + SEGMENT_SUFFIX.plain);
  syncDirectory(dirname(path));
}

/** What was compressed must be what the writer wrote, byte for byte. */
function requireEqual(path: string, { plainBytes, lines, crc32c }: Written, facts: SegmentFacts): void {
  if (plainBytes === facts.bytes && lines === facts.records && crc32c === facts.crc32c) return;
  throw new AlteredSegment(
    `${path}${SEGMENT_SUFFIX.plain} no longer is what was written to it (${lines} lines and ${plainBytes} bytes, ${facts.records} and ${facts.bytes} recorded): it stays as it is; run "log-consumer verify".`,
  );
}

/** What lies on the disk must be what was written there. */
async function requireHash(path: string, sha256: string): Promise<void> {
  if ((await hashFile(path)).sha256 !== sha256) {
    throw new Error(`${path} does not read back as it was written.`);
  }
}
