/**
 * The structure of an LZ4 frame. Everything that decides how much memory a frame can need is in it.
 *
 * Source: LZ4 Frame Format Description 1.6.4. All numbers are little-endian.
 *
 *   magic 0x184D2204 | FLG | BD | content size (8, if FLG.3) | dictionary id (4, if FLG.0) | header checksum
 *   blocks: length (high bit: stored, not compressed) | data | checksum (4, if FLG.4)
 *   end mark: length 0 | content checksum (4, if FLG.2)
 */
import { corrupt, type DecodeFailure } from '../decode-failure.ts';

const FRAME_MAGIC = 0x184d2204;
const MIN_FRAME_BYTES = 8;
const STORED_BLOCK = 0x80000000;
const CHECKSUM_BYTES = 4;

/** A compressed byte yields at most 255 bytes: a run length is encoded in steps of 255. */
const MAX_EXPANSION = 256;

export interface Lz4Frame {
  /** Position of the first block's length. */
  readonly blocksStart: number;
  readonly blockMaxBytes: number;
  /** False when a block may refer to the 64 KiB before it. */
  readonly hasIndependentBlocks: boolean;
  /** Bytes behind each block and behind the end mark. */
  readonly blockTrailerBytes: number;
  readonly trailerBytes: number;
}

/** One block of a frame. */
export interface Lz4Block {
  readonly isEndMark: boolean;
  readonly start: number;
  readonly end: number;
  readonly isStored: boolean;
}

/** The header of the frame at `start`. */
export function readFrameHeader(view: DataView, start: number): Lz4Frame | DecodeFailure {
  if (start + MIN_FRAME_BYTES > view.byteLength) return corrupt('lz4: truncated frame');
  if (view.getUint32(start, true) !== FRAME_MAGIC) return corrupt('lz4: not a frame');
  const flags = view.getUint8(start + 4);
  const blockSizeId = (view.getUint8(start + 5) >> 4) & 7;
  if (flags >> 6 !== 1) return corrupt('lz4: unknown frame version');
  if ((flags & 1) !== 0) return corrupt('lz4: the frame needs a dictionary');
  if (blockSizeId < 4) return corrupt('lz4: unknown block size');
  return {
    blocksStart: start + ((flags & 8) === 0 ? 7 : 15),
    blockMaxBytes: 4 ** (blockSizeId + 4),
    hasIndependentBlocks: (flags & 32) !== 0,
    blockTrailerBytes: (flags & 16) === 0 ? 0 : CHECKSUM_BYTES,
    trailerBytes: (flags & 4) === 0 ? 0 : CHECKSUM_BYTES,
  };
}

/** The block whose length stands at `position`. */
export function blockAt(view: DataView, position: number, frame: Lz4Frame): Lz4Block | DecodeFailure {
  const start = position + 4;
  if (start > view.byteLength) return corrupt('lz4: the frame has no end');
  const lengthField = view.getUint32(position, true);
  const isEndMark = lengthField === 0;
  const length = lengthField & ~STORED_BLOCK;
  if (length > frame.blockMaxBytes) return corrupt(`lz4: impossible block length ${length}`);
  const trailerBytes = isEndMark ? frame.trailerBytes : frame.blockTrailerBytes;
  if (start + length + trailerBytes > view.byteLength) return corrupt('lz4: truncated block');
  return { isEndMark, start, end: start + length, isStored: lengthField >= STORED_BLOCK };
}

/** The most bytes that a block's content can have. */
export function maxBlockContentBytes(block: Lz4Block, blockMaxBytes: number): number {
  const length = block.end - block.start;
  return block.isStored ? length : Math.min(blockMaxBytes, length * MAX_EXPANSION);
}
