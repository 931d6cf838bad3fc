/** Reads a sealed file by the members that its facts list, some of them ahead, decompressed on other threads. */
import { read as readWithCallback } from 'node:fs';
import { promisify } from 'node:util';
import type { SealedFacts } from '../../storage/facts.ts';
import { fileChunks } from '../file-chunks.ts';
import { COMPRESSIONS } from './compression.ts';

const read = promisify(readWithCallback);

/** What a reader has to know of a sealed file. */
export type Members = Pick<SealedFacts, 'format' | 'members'>;

const MEMBERS_AHEAD = 4;

export interface SealedLinesOptions {
  /** Plain bytes to pass over, whole lines. */
  readonly start?: number;
  /** Called with all bytes of the file in turn, those behind its last member too, unless `start` is given. */
  readonly onStored?: (bytes: Buffer) => void;
}

/**
 * Yields the plain bytes of the file, a member at a time.
 * @throws the system error, or what the format's decompressor says
 */
export async function* sealedLines(
  descriptor: number,
  { format, members }: Members,
  { start = 0, onStored = () => undefined }: SealedLinesOptions = {},
): AsyncGenerator<Buffer> {
  const ahead: Promise<Buffer>[] = [];
  let [position, plainEnd] = [0, 0];
  for (const [stored, plain] of members) {
    const plainStart = plainEnd;
    plainEnd += plain;
    const memberStart = position;
    position += stored;
    if (start > 0 && plainEnd <= start) continue;
    const member = await readExactly(descriptor, memberStart, stored);
    onStored(member);
    const lines = COMPRESSIONS[format].decompress(member, plain);
    // It may fail while an earlier one is waited for, which then tells of it.
    lines.catch(() => undefined);
    ahead.push(plainStart < start ? lines.then((all) => all.subarray(start - plainStart)) : lines);
    if (ahead.length > MEMBERS_AHEAD) yield (await ahead.shift()) as Buffer;
  }
  for (const lines of ahead) yield await lines;
  for await (const bytes of fileChunks(descriptor, position)) onStored(bytes);
}

async function readExactly(descriptor: number, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await read(descriptor, Buffer.allocUnsafe(length), 0, length, position);
  if (bytesRead < length) throw new Error(`it ends after ${position + bytesRead} bytes`);
  return buffer;
}
