/** Lets a kafkajs producer of a test compress with Snappy, LZ4 and zstd as other clients do. */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import kafkajs from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';
import { compress as snappyCompress } from 'snappy';

/** What kafkajs hands to a codec: the encoded records. */
interface Encoder {
  readonly buffer: Buffer;
}

const XERIAL_HEADER = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const XERIAL_BLOCK_BYTES = 32 * 1024;

/** Snappy blocks in the framing of the xerial library, which the Java clients write. */
async function compressXerial(data: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [XERIAL_HEADER];
  for (let start = 0; start < data.length; start += XERIAL_BLOCK_BYTES) {
    const block = await snappyCompress(data.subarray(start, start + XERIAL_BLOCK_BYTES));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

async function refuseSnappy(): Promise<Buffer> {
  throw new Error('tests only produce Snappy, the service reads it');
}

/** Registers the codecs in this process's kafkajs; may be called any number of times. */
export function registerProducerCodecs(): void {
  const { CompressionCodecs, CompressionTypes } = kafkajs;
  const zstd = { compress: promisify(zstdCompress), decompress: promisify(zstdDecompress) };
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: (encoder: Encoder) => compressXerial(encoder.buffer),
    decompress: refuseSnappy,
  });
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: (encoder: Encoder) => compressFrame(encoder.buffer),
    decompress: decompressFrame,
  });
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: (encoder: Encoder) => zstd.compress(encoder.buffer),
    decompress: zstd.decompress,
  });
}
