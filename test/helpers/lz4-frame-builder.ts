/** Writes LZ4 frames with any flags, to test what the library's own encoder never writes. */
import { compressSync } from 'lz4-napi';

export interface Lz4FrameOptions {
  /** 4: 64 KiB, 5: 256 KiB, 6: 1 MiB, 7: 4 MiB. */
  readonly blockSizeId?: 4 | 5 | 6 | 7;
  /** Blocks refer to the 64 KiB before them. */
  readonly linked?: boolean;
  readonly contentSize?: boolean;
  readonly contentChecksum?: boolean;
  readonly blockChecksums?: boolean;
  /** Indexes of blocks that are stored without compression. */
  readonly storedBlocks?: readonly number[];
}

/** One frame with the content, as the Java client writes it unless told otherwise. */
export function buildLz4Frame(content: Uint8Array, options: Lz4FrameOptions = {}): Buffer {
  const blockSizeId = options.blockSizeId ?? 4;
  const blockBytes = 4 ** (blockSizeId + 4);
  const parts: Buffer[] = [frameHeader(content.length, blockSizeId, options)];
  for (let start = 0, index = 0; start < content.length; start += blockBytes, index += 1) {
    const block = content.subarray(start, start + blockBytes);
    const window = options.linked ? content.subarray(Math.max(0, start - 65536), start) : new Uint8Array(0);
    parts.push(...encodeBlock(block, window, options.storedBlocks?.includes(index) ?? false));
    const data = parts.at(-1) ?? Buffer.alloc(0);
    if (options.blockChecksums) parts.push(uint32(xxh32(data)));
  }
  parts.push(uint32(0));
  if (options.contentChecksum) parts.push(uint32(xxh32(content)));
  return Buffer.concat(parts);
}

function frameHeader(contentBytes: number, blockSizeId: number, options: Lz4FrameOptions): Buffer {
  const flags =
    0x40 |
    (options.linked ? 0 : 0x20) |
    (options.blockChecksums ? 0x10 : 0) |
    (options.contentSize ? 0x08 : 0) |
    (options.contentChecksum ? 0x04 : 0);
  const size = Buffer.alloc(options.contentSize ? 8 : 0);
  if (options.contentSize) size.writeBigUInt64LE(BigInt(contentBytes));
  const descriptor = Buffer.concat([Buffer.of(flags, blockSizeId << 4), size]);
  const checksum = (xxh32(descriptor) >>> 8) & 0xff;
  return Buffer.concat([uint32(0x184d2204), descriptor, Buffer.of(checksum)]);
}

function encodeBlock(block: Uint8Array, window: Uint8Array, isStored: boolean): Buffer[] {
  if (isStored) return [uint32(block.length + 0x80000000), Buffer.from(block)];
  const dictionary = window.length === 0 ? undefined : Buffer.from(window);
  const compressed = compressSync(Buffer.from(block), dictionary).subarray(4);
  return [uint32(compressed.length), compressed];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** xxHash32 with seed 0, as the LZ4 frame format uses it. */
export function xxh32(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let hash = PRIME_5;
  if (bytes.length >= 16) {
    const lanes = [(PRIME_1 + PRIME_2) | 0, PRIME_2 | 0, 0, -PRIME_1 | 0];
    for (; at + 16 <= bytes.length; at += 16) {
      lanes.forEach((lane, index) => {
        const mixed = (lane + Math.imul(view.getUint32(at + index * 4, true), PRIME_2)) | 0;
        lanes[index] = Math.imul(rotate(mixed, 13), PRIME_1);
      });
    }
    hash = lanes.reduce((sum, lane, index) => (sum + rotate(lane, [1, 7, 12, 18][index] ?? 0)) | 0, 0);
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(view.getUint32(at, true), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < bytes.length; at += 1) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[at] ?? 0, PRIME_5)) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
