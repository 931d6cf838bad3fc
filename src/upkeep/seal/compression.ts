/**
 * The formats of sealed files. All of them may be any number of independent pieces one after the other,
 * which their tools (`zcat`, `zstdcat`, `lz4cat`) join: gzip members (RFC 1952), zstd frames (RFC 8878),
 * LZ4 frames. Each of our pieces, here always called a member, holds whole lines.
 */
import { promisify } from 'node:util';
import { constants, gunzip, gzip, zstdCompress, zstdDecompress } from 'node:zlib';
import { compressFrame, decompressFrame } from 'lz4-napi';
import type { SealFormat } from '../../core/seal-format.ts';

export interface Compression {
  /** @param level 1 (fast) to 9 (small); LZ4 has none */
  compress(bytes: Uint8Array, level: number): Promise<Buffer>;
  /** @param plainBytes what one member holds */
  decompress(member: Uint8Array, plainBytes: number): Promise<Buffer>;
}

const toGzip = promisify(gzip);
const fromGzip = promisify(gunzip) as (bytes: Uint8Array, options: object) => Promise<Buffer>;
const toZstd = promisify(zstdCompress);
const fromZstd = promisify(zstdDecompress) as (bytes: Uint8Array, options: object) => Promise<Buffer>;

export const COMPRESSIONS: Readonly<Record<SealFormat, Compression>> = {
  gzip: {
    compress: (bytes, level) => toGzip(bytes, { level }),
    decompress: (member, plainBytes) => fromGzip(member, outputOf(plainBytes)),
  },
  zstd: {
    compress: (bytes, level) =>
      toZstd(bytes, {
        params: {
          [constants.ZSTD_c_compressionLevel]: level,
          [constants.ZSTD_c_checksumFlag]: 1,
        },
      }),
    decompress: (member, plainBytes) => fromZstd(member, outputOf(plainBytes)),
  },
  lz4: {
    compress: (bytes) => compressFrame(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
    decompress: (member) => decompressFrame(Buffer.from(member.buffer, member.byteOffset, member.length)),
  },
};

/** One buffer of the right size, and never more; zlib wants at least this much. */
const MIN_OUTPUT_BYTES = 64;

function outputOf(plainBytes: number): { readonly maxOutputLength: number; readonly chunkSize: number } {
  const bytes = Math.max(plainBytes, MIN_OUTPUT_BYTES);
  return { maxOutputLength: bytes, chunkSize: bytes };
}
