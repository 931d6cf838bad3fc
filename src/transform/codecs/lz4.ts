/**
 * LZ4 frames, decompressed block by block, each with the output that is still allowed, into memory
 * that is used again.
 *
 * The library's own decoder of whole frames would have no limit, and gives its results in native
 * memory that is only freed when the thread's event loop turns: measured over many batches in a row,
 * several times the resident memory and a tenth of the speed. The frame's checksums are not checked:
 * the batch's CRC-32C covers the same bytes.
 */
import { uncompressSync } from 'lz4-napi';
import { messageOf } from '../../core/errors.ts';
import { corrupt, DecodeFailure, overLimit } from '../decode-failure.ts';
import { blockAt, type Lz4Block, type Lz4Frame, maxBlockContentBytes, readFrameHeader } from './lz4-frame.ts';
import { scratchOf } from './scratch.ts';

/** Blocks that are not independent refer at most this far back. */
const WINDOW_BYTES = 64 * 1024;

/** Logs shrink to a quarter; the library zeroes the memory it is told to expect, so it is not told more. */
const EXPECTED_EXPANSION = 8;

const NO_WINDOW = new Uint8Array(0);

/**
 * The content of one or several LZ4 frames.
 * @param input is written to while a block is decompressed, and then as it was.
 * @returns the content, valid until the next call of any codec, or why there is none.
 */
export function unlz4(input: Uint8Array, maxOutputBytes: number): Uint8Array | DecodeFailure {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let outputBytes = 0;
  for (let position = 0; position < input.length; ) {
    const frame = readFrameHeader(view, position);
    if (frame instanceof DecodeFailure) return frame;
    const end = unlz4Frame(input, view, frame, outputBytes, maxOutputBytes);
    if (end instanceof DecodeFailure) return end;
    position = end.position;
    outputBytes = end.outputBytes;
  }
  return scratchOf(outputBytes, outputBytes).subarray(0, outputBytes);
}

/** Appends the content of one frame to the scratch; returns where the frame and the content end. */
function unlz4Frame(
  input: Uint8Array,
  view: DataView,
  frame: Lz4Frame,
  frameOutputStart: number,
  maxOutputBytes: number,
): { position: number; outputBytes: number } | DecodeFailure {
  let outputBytes = frameOutputStart;
  let position = frame.blocksStart;
  for (;;) {
    const block = blockAt(view, position, frame);
    if (block instanceof DecodeFailure) return block;
    if (block.isEndMark) return { position: block.end + frame.trailerBytes, outputBytes };
    const window = frame.hasIndependentBlocks ? NO_WINDOW : windowBefore(frameOutputStart, outputBytes);
    const content = unlz4Block(input, view, frame, block, window, maxOutputBytes - outputBytes);
    if (content === null) return overLimit(maxOutputBytes);
    if (content instanceof DecodeFailure) return content;
    scratchOf(outputBytes + content.length, outputBytes).set(content, outputBytes);
    outputBytes += content.length;
    position = block.end + frame.blockTrailerBytes;
  }
}

function windowBefore(frameOutputStart: number, outputBytes: number): Uint8Array {
  const start = Math.max(frameOutputStart, outputBytes - WINDOW_BYTES);
  return scratchOf(outputBytes, outputBytes).subarray(start, outputBytes);
}

/** The content of one block, null when it is longer than `maxBytes`. */
function unlz4Block(
  input: Uint8Array,
  view: DataView,
  frame: Lz4Frame,
  block: Lz4Block,
  window: Uint8Array,
  maxBytes: number,
): Uint8Array | DecodeFailure | null {
  const possibleBytes = maxBlockContentBytes(block, frame.blockMaxBytes);
  if (block.isStored) return possibleBytes > maxBytes ? null : input.subarray(block.start, block.end);
  const allowedBytes = Math.min(possibleBytes, maxBytes);
  const expectedBytes = Math.min(allowedBytes, (block.end - block.start) * EXPECTED_EXPANSION);
  const content = uncompressAtMost(input, view, block, window, expectedBytes);
  if (content !== null) return content;
  const secondTry =
    expectedBytes < allowedBytes ? uncompressAtMost(input, view, block, window, allowedBytes) : null;
  if (secondTry !== null) return secondTry;
  return allowedBytes < possibleBytes ? null : corrupt('lz4: a block is longer than its frame allows');
}

/**
 * The content of one block, null when it is longer than `maxBytes`.
 * The library wants the length of the output before the data: it is put where the block's own length
 * stands, which saves copying the block.
 */
function uncompressAtMost(
  input: Uint8Array,
  view: DataView,
  block: Lz4Block,
  window: Uint8Array,
  maxBytes: number,
): Uint8Array | DecodeFailure | null {
  const lengthPosition = block.start - 4;
  const lengthField = view.getUint32(lengthPosition, true);
  view.setUint32(lengthPosition, maxBytes, true);
  try {
    return uncompressSync(
      input.subarray(lengthPosition, block.end),
      window.length === 0 ? undefined : window,
    );
  } catch (thrown) {
    const message = messageOf(thrown);
    return message.includes('output is too small') ? null : corrupt(`lz4: ${message}`);
  } finally {
    view.setUint32(lengthPosition, lengthField, true);
  }
}
