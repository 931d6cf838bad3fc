/**
 * The beginnings of files that are still active.
 *
 * When a segment of service_logs is closed, the other files go on, with lines that belong to its records. Only
 * together with these is the segment worth going on from, so they are copied with it: compressed, each up to where
 * it was at that moment (`alongside` in the facts). Such an object is called a tail, since it is the end of what
 * the store has of a file. It grows with later segments, and goes once its own segment is copied as a whole.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ServiceError } from '../../core/errors.ts';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import { extendChecksum, formatChecksum } from '../../storage/checksum.ts';
import type { FilePosition } from '../../storage/facts.ts';
import { SEGMENT_SUFFIX } from '../../storage/layout.ts';
import { closedSegments } from '../../storage/recovery.ts';
import { freeze } from '../frozen-view.ts';
import type { SealedFacts } from './segment-files.ts';

const TAILS = 'tails';
const NAME = /^([a-z_]+)-(\d{8,})\.jsonl\.gz$/;

interface TailName {
  /** `instances/<id>`, or empty. */
  readonly instance: string;
  readonly file: LogFile;
  readonly number: number;
}

/** Key without the store's prefix. */
export function tailKey({ instance, file, number }: TailName): string {
  return `${tailFolder(instance)}${file}-${String(number).padStart(8, '0')}.jsonl.gz`;
}

export function tailFolder(instance: string): string {
  return `${instance === '' ? '' : `${instance}/`}${TAILS}/`;
}

/** Undefined when it is not the last part of a tail's key. */
export function parseTailName(name: string): Omit<TailName, 'instance'> | undefined {
  const [, kind = '', number = ''] = NAME.exec(name) ?? [];
  const file = LOG_FILES.find((known) => known === kind);
  return file === undefined ? undefined : { file, number: Number(number) };
}

export function isTailKey(key: string): boolean {
  return new RegExp(`(^|/)${TAILS}/[^/]+$`).test(key);
}

interface Tail {
  readonly file: LogFile;
  readonly position: FilePosition;
}

/**
 * What has to be copied beside these segments, oldest first: of each segment that is not compressed yet the
 * longest beginning that one of them needs.
 */
export function tailsOf(directory: string, facts: readonly SealedFacts[]): Tail[] {
  const tails = new Map<string, Tail>();
  for (const { alongside = {} } of facts) {
    for (const file of LOG_FILES) {
      const position = alongside[file];
      if (position !== undefined && position.length > 0)
        tails.set(`${file} ${position.number}`, { file, position });
    }
  }
  return [...tails.values()].filter(({ file, position }) => !isCompressed(directory, file, position.number));
}

/** Compressed segments are copied themselves. */
function isCompressed(directory: string, file: LogFile, number: number): boolean {
  const suffixes = closedSegments(directory, file).find((segment) => segment.number === number)?.suffixes;
  return suffixes !== undefined && !suffixes.includes(SEGMENT_SUFFIX.plain);
}

/**
 * Writes a tail, compressed, to a file.
 * @returns false when its segment has been compressed meanwhile
 * @throws ServiceError BACKUP_DIFFERS when the file does not begin with what was recorded
 */
export async function writeTail(
  directory: string,
  { file, position }: Tail,
  target: string,
): Promise<boolean> {
  const view = await freeze(directory);
  try {
    const isActive = view.newest.checkpoint.files[file]?.number === position.number;
    const descriptor = isActive ? view.newest.descriptors.get(file) : undefined;
    if (descriptor !== undefined) return await compress({ fd: descriptor, path: '' }, file, position, target);
    const closed = closedSegments(directory, file).find(({ number }) => number === position.number);
    if (closed === undefined || !closed.suffixes.includes(SEGMENT_SUFFIX.plain)) return false;
    return await compress({ path: closed.path + SEGMENT_SUFFIX.plain }, file, position, target);
  } finally {
    view.close();
  }
}

async function compress(
  source: { readonly path: string; readonly fd?: number },
  file: LogFile,
  position: FilePosition,
  target: string,
): Promise<boolean> {
  const { path, ...descriptor } = source;
  let crc = 0;
  const input = createReadStream(path, {
    ...descriptor,
    start: 0,
    end: position.length - 1,
    autoClose: source.fd === undefined,
  });
  await pipeline(
    input,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        crc = extendChecksum(crc, chunk);
        yield chunk;
      }
    },
    createGzip(),
    createWriteStream(target),
  );
  if (formatChecksum(crc) === position.crc32c) return true;
  throw new ServiceError(
    'BACKUP_DIFFERS',
    `Segment ${position.number} of ${file} does not begin with what was written to it, so it is not copied: run "log-consumer verify".`,
    { file },
  );
}
