/**
 * Snappy as Kafka's clients write it: either one raw block, or the framing of the Java library
 * (xerial/snappy-java `SnappyOutputStream`): 16 bytes of header, then blocks, each after its
 * compressed length as a big-endian int32.
 *
 * A raw block opens with its uncompressed length as a varint. The lengths are added up and checked
 * against the limit before any block is decompressed.
 */
import { uncompressSync } from 'snappy';
import { messageOf } from '../../core/errors.ts';
import { corrupt, DecodeFailure, overLimit } from '../decode-failure.ts';
import { scratchOf } from './scratch.ts';

const XERIAL_MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
/** The magic, a version and the oldest compatible version. */
const XERIAL_HEADER_BYTES = 16;

/** A copy element of 3 bytes yields at most 64: no block expands further than this. */
const MAX_EXPANSION = 22;

/**
 * The content of a snappy stream, raw or in xerial framing.
 * @returns the content, valid until the next call of any codec, or why there is none.
 */
export function unsnappy(input: Uint8Array, maxOutputBytes: number): Uint8Array | DecodeFailure {
  if (!isXerial(input)) {
    const declared = declaredLength(input, 0, input.length);
    if (declared > maxOutputBytes) return overLimit(maxOutputBytes);
    return declared < 0 ? corrupt('snappy: impossible uncompressed length') : unsnappyBlock(input);
  }
  const total = totalLength(input, maxOutputBytes);
  return typeof total === 'number' ? unsnappyBlocks(input, total) : total;
}

function isXerial(input: Uint8Array): boolean {
  return input.length >= XERIAL_HEADER_BYTES && XERIAL_MAGIC.every((byte, index) => input[index] === byte);
}

/** Walks the blocks without decompressing them. */
function totalLength(input: Uint8Array, maxOutputBytes: number): number | DecodeFailure {
  let total = 0;
  let position = XERIAL_HEADER_BYTES;
  while (position < input.length) {
    const start = position + 4;
    const length = start <= input.length ? readInt32(input, position) : -1;
    if (length <= 0 || start + length > input.length) return corrupt('snappy: impossible block length');
    const declared = declaredLength(input, start, start + length);
    if (declared < 0) return corrupt('snappy: impossible uncompressed length');
    total += declared;
    if (total > maxOutputBytes) return overLimit(maxOutputBytes);
    position = start + length;
  }
  return total;
}

function unsnappyBlocks(input: Uint8Array, total: number): Uint8Array | DecodeFailure {
  const output = scratchOf(total);
  let outputLength = 0;
  let position = XERIAL_HEADER_BYTES;
  while (position < input.length) {
    const start = position + 4;
    position = start + readInt32(input, position);
    const block = unsnappyBlock(input.subarray(start, position));
    if (block instanceof DecodeFailure) return block;
    output.set(block, outputLength);
    outputLength += block.length;
  }
  return output.subarray(0, outputLength);
}

function unsnappyBlock(block: Uint8Array): Uint8Array | DecodeFailure {
  try {
    // Without the copy the result is native memory that is only freed when the event loop turns.
    const content = uncompressSync(block, { copyOutputData: true });
    return typeof content === 'string' ? corrupt('snappy: unexpected text') : content;
  } catch (thrown) {
    return corrupt(`snappy: ${messageOf(thrown)}`);
  }
}

/** The uncompressed length a raw block declares; -1 when it has none or cannot be that long. */
function declaredLength(input: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let index = 0; index < 5 && start + index < end; index += 1) {
    const byte = input[start + index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value <= (end - start) * MAX_EXPANSION ? value : -1;
  }
  return -1;
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}
