/**
 * The quarantine of one instance as a row of files, oldest first: the closed segments, then what lay in
 * the place of the active file, up to the checkpoint and never further. A running service may seal or
 * remove a closed segment at any moment.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { systemCodeOf } from '../core/errors.ts';
import type { SegmentFacts } from '../storage/facts.ts';
import { activePath, SEGMENT_SUFFIX } from '../storage/layout.ts';
import { closedSegments } from '../storage/recovery.ts';
import { bytesOfClosed } from './closed-check.ts';
import { fileChunks } from './file-chunks.ts';
import type { FrozenFiles } from './frozen-view.ts';
import { sealedLines } from './seal/sealed-lines.ts';

const NEWLINE = 0x0a;

/** One file of the row. */
export type QuarantinePiece =
  | { readonly kind: 'closed'; readonly number: number /** Without suffix. */; readonly path: string }
  | {
      readonly kind: 'open';
      readonly number: number;
      readonly path: string;
      readonly descriptor: number;
      readonly length: number;
    };

/** @param files must stay open as long as the pieces are read */
export function quarantinePieces(
  directory: string,
  { checkpoint, descriptors }: FrozenFiles,
): QuarantinePiece[] {
  const state = checkpoint.files.quarantine;
  const active = state?.number ?? 1;
  const pieces: QuarantinePiece[] = closedSegments(directory, 'quarantine')
    .filter(({ number }) => number < active)
    .map(({ number, path }) => ({ kind: 'closed', number, path }));
  const descriptor = descriptors.get('quarantine');
  if (descriptor === undefined) return pieces;
  const open = { kind: 'open', path: activePath(directory, 'quarantine'), descriptor } as const;
  // A crash between a checkpoint and the rename that it announces leaves the closed segment in its place.
  const closing = checkpoint.pending_renames.find(({ file }) => file === 'quarantine')?.facts;
  if (closing !== undefined && !pieces.some(({ number }) => number === closing.number)) {
    pieces.push({ ...open, number: closing.number, length: closing.bytes });
    return pieces;
  }
  if (state !== undefined && state.length > 0) {
    pieces.push({ ...open, number: active, length: state.length });
  }
  return pieces;
}

/** Bytes that a reader of the pieces is told of, for the progress. */
export function bytesOf(pieces: readonly QuarantinePiece[]): number {
  return pieces.reduce((sum, piece) => {
    if (piece.kind === 'open') return sum + piece.length;
    return sum + bytesOfClosed(piece.path);
  }, 0);
}

/**
 * The whole lines of a piece without their newlines, in groups as they are read; nothing when retention
 * has removed it.
 * @param start plain bytes to pass over, whole lines
 * @param onBytes called with the bytes read from the disk
 */
export async function* linesOf(
  piece: QuarantinePiece,
  start = 0,
  onBytes: (count: number) => void = () => undefined,
): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer[] = [];
  for await (const chunk of chunksOf(piece, start, onBytes)) {
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, end);
      lines.push(rest.length === 0 ? line : Buffer.concat([...rest, line]));
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
}

async function* chunksOf(
  piece: QuarantinePiece,
  start: number,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  if (piece.kind === 'open') {
    yield* plainChunks(piece.descriptor, start, piece.length, onBytes);
    return;
  }
  const plain = await openIfPresent(piece.path + SEGMENT_SUFFIX.plain);
  if (plain === undefined) {
    yield* sealedChunks(piece.path, start, onBytes);
    return;
  }
  try {
    yield* plainChunks(plain.fd, start, undefined, onBytes);
  } finally {
    await plain.close();
  }
}

async function* plainChunks(
  descriptor: number,
  start: number,
  length: number | undefined,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of fileChunks(descriptor, start, length)) {
    onBytes(chunk.length);
    yield chunk;
  }
}

/** Sealed means that the facts knew of the compressed file before the plain one went. */
async function* sealedChunks(
  base: string,
  start: number,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  const facts = await openIfPresent(base + SEGMENT_SUFFIX.facts);
  if (facts === undefined) return;
  const { sealed } = JSON.parse(await facts.readFile('utf8').finally(() => facts.close())) as SegmentFacts;
  if (sealed === undefined) return;
  const file = await openIfPresent(base + SEGMENT_SUFFIX[sealed.format]);
  if (file === undefined) return;
  try {
    yield* sealedLines(file.fd, sealed, { start, onStored: (bytes) => onBytes(bytes.length) });
  } finally {
    await file.close();
  }
}

async function openIfPresent(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
