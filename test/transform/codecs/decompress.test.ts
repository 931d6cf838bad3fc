import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { compressSync as snappyCompressSync } from 'snappy';
import { CODEC, decompress } from '../../../src/transform/codecs/decompress.ts';
import { DecodeFailure } from '../../../src/transform/decode-failure.ts';
import { buildLz4Frame, type Lz4FrameOptions } from '../../helpers/lz4-frame-builder.ts';
import { CODEC_NAMES, type CodecName, compress } from '../../helpers/record-batch-builder.ts';

const LIMIT = 64 * 1024 * 1024;

const CODEC_OF: Readonly<Record<CodecName, number>> = {
  none: CODEC.none,
  gzip: CODEC.gzip,
  snappy: CODEC.snappy,
  'snappy-raw': CODEC.snappy,
  lz4: CODEC.lz4,
  zstd: CODEC.zstd,
};

const COMPRESSING = CODEC_NAMES.filter((name) => name !== 'none');

function contentOf(output: Uint8Array | DecodeFailure): Buffer {
  assert(output instanceof Uint8Array, `failed: ${JSON.stringify(output)}`);
  return Buffer.from(output);
}

function reasonOf(output: Uint8Array | DecodeFailure): string {
  assert(output instanceof DecodeFailure, 'it should have failed');
  return output.reason;
}

/** Text that compresses like logs do. */
function logText(bytes: number): Buffer {
  let text = '';
  for (let index = 0; text.length < bytes; index += 1) {
    text += `{"level":"INFO","message":"request ${(index * 7919) % 10007} handled","id":"${index ** 3}"}\n`;
  }
  return Buffer.from(text.slice(0, bytes));
}

describe('decompress', () => {
  for (const name of CODEC_NAMES) {
    it(`gives back what ${name} compressed`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 5_000 }), fc.integer({ min: 1, max: 60 }), (bytes, times) => {
          const content = Buffer.concat(Array.from({ length: times }, () => bytes));
          const output = decompress(CODEC_OF[name], Buffer.from(compress(name, content)), LIMIT);
          assert.deepEqual(contentOf(output), content);
        }),
        { numRuns: 60 },
      );
    });
  }

  for (const name of COMPRESSING) {
    it(`stops ${name} exactly behind the limit`, () => {
      const content = logText(300_000);
      const compressed = Buffer.from(compress(name, content));
      assert.deepEqual(contentOf(decompress(CODEC_OF[name], compressed, content.length)), content);
      assert.equal(
        reasonOf(decompress(CODEC_OF[name], compressed, content.length - 1)),
        'decompression_limit',
      );
    });

    it(`never throws on damaged ${name}`, () => {
      const content = logText(20_000);
      const original = Buffer.from(compress(name, content));
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
          fc.nat(original.length),
          fc.constantFrom(19_000, 100_000),
          (changes, length, limit) => {
            const damaged = Buffer.from(original.subarray(0, length % 3 === 0 ? length : original.length));
            for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte;
            const before = Buffer.from(damaged);
            const output = decompress(CODEC_OF[name], damaged, limit);
            if (output instanceof Uint8Array) assert(output.length <= limit);
            assert.deepEqual(damaged, before, 'the input is as it was');
          },
        ),
        { numRuns: 1_500 },
      );
    });

    it(`fails on ${name} that is cut off or empty`, () => {
      const compressed = Buffer.from(compress(name, logText(100_000)));
      for (const length of [0, 1, 7, 20, compressed.length >> 1, compressed.length - 1]) {
        const output = decompress(CODEC_OF[name], compressed.subarray(0, length), LIMIT);
        const isEmptyLz4 = name === 'lz4' && length === 0;
        if (!isEmptyLz4) assert.equal(reasonOf(output), 'corrupt_batch', `${length} bytes`);
      }
    });
  }

  it('tells which codec it does not know', () => {
    for (const codec of [5, 6, 7]) {
      assert.equal(reasonOf(decompress(codec, Buffer.alloc(10), LIMIT)), 'unsupported_codec');
    }
  });

  it('reads several gzip members, zstd frames and LZ4 frames in a row', () => {
    const parts = [logText(100_000), Buffer.alloc(0), logText(50)];
    for (const name of ['gzip', 'zstd', 'lz4'] as const) {
      const compressed = Buffer.concat(parts.map((part) => compress(name, part)));
      assert.deepEqual(contentOf(decompress(CODEC_OF[name], compressed, LIMIT)), Buffer.concat(parts), name);
    }
  });

  it('reads LZ4 as the other clients write it', () => {
    const content = logText(200_000);
    const frame = compressFrameSync(content, { blockChecksums: true, contentChecksum: true });
    assert.deepEqual(contentOf(decompress(CODEC.lz4, frame, LIMIT)), content);
  });
});

describe('LZ4 frames', () => {
  const content = logText(300_000);
  const variants: readonly (readonly [string, Lz4FrameOptions])[] = [
    ['of independent blocks', {}],
    ['of linked blocks', { linked: true }],
    ['of large blocks', { blockSizeId: 7 }],
    ['with stored blocks', { storedBlocks: [1, 3] }],
    ['of linked and stored blocks', { linked: true, storedBlocks: [0, 2] }],
    [
      'with every checksum and the content size',
      { contentSize: true, contentChecksum: true, blockChecksums: true },
    ],
    ['of linked blocks with checksums', { linked: true, contentChecksum: true, blockChecksums: true }],
  ];

  for (const [what, options] of variants) {
    it(`${what} are read, up to the limit`, () => {
      const frame = buildLz4Frame(content, options);
      assert.deepEqual(contentOf(decompress(CODEC.lz4, frame, LIMIT)), content);
      assert.deepEqual(contentOf(decompress(CODEC.lz4, frame, content.length)), content);
      assert.equal(reasonOf(decompress(CODEC.lz4, frame, content.length - 1)), 'decompression_limit');
    });

    it(`${what} are read one after the other`, () => {
      const frames = Buffer.concat([buildLz4Frame(content, options), buildLz4Frame(content, options)]);
      const twice = Buffer.concat([content, content]);
      assert.deepEqual(contentOf(decompress(CODEC.lz4, frames, LIMIT)), twice);
      assert.deepEqual(contentOf(decompress(CODEC.lz4, frames, twice.length)), twice);
    });
  }

  it('of an unknown version, with a dictionary or of an unknown block size are refused', () => {
    for (const [at, byte] of [
      [4, 0xa0],
      [4, 0x61],
      [5, 0x30],
    ] as const) {
      const frame = buildLz4Frame(content);
      frame[at] = byte;
      assert.equal(reasonOf(decompress(CODEC.lz4, frame, LIMIT)), 'corrupt_batch', `byte ${at}`);
    }
  });
});

describe('decompression bombs', () => {
  const limit = 4 * 1024 * 1024;
  const zeros = Buffer.alloc(256 * 1024 * 1024);
  const snappyBlock = snappyCompressSync(zeros.subarray(0, 16 * 1024 * 1024));
  const xerialHeader = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const blockLength = Buffer.alloc(4);
  blockLength.writeInt32BE(snappyBlock.length);

  /** One LZ4 block of 1 MiB of zeros, and a frame that repeats it. */
  function lz4Bomb(blocks: number): Buffer {
    const one = buildLz4Frame(zeros.subarray(0, 1024 * 1024), { blockSizeId: 6 });
    const block = one.subarray(7, one.length - 4);
    return Buffer.concat([
      one.subarray(0, 7),
      ...Array.from({ length: blocks }, () => block),
      Buffer.alloc(4),
    ]);
  }

  const bombs: readonly (readonly [string, number, Buffer])[] = [
    ['gzip', CODEC.gzip, gzipSync(zeros, { level: 9 })],
    ['zstd', CODEC.zstd, zstdCompressSync(zeros)],
    [
      'zstd with a window of 128 MiB',
      CODEC.zstd,
      zstdCompressSync(zeros, { params: { [constants.ZSTD_c_windowLog]: 27 } }),
    ],
    ['raw snappy', CODEC.snappy, snappyCompressSync(zeros)],
    [
      'framed snappy',
      CODEC.snappy,
      Buffer.concat([xerialHeader, ...Array.from({ length: 16 }, () => [blockLength, snappyBlock]).flat()]),
    ],
    ['LZ4', CODEC.lz4, lz4Bomb(256)],
    ['LZ4 in one library frame', CODEC.lz4, compressFrameSync(zeros)],
  ];

  for (const [what, codec, bomb] of bombs) {
    it(`of ${what} are stopped at the limit, in memory and in time`, () => {
      const startedAt = performance.now();
      const before = process.memoryUsage().rss;
      assert.equal(reasonOf(decompress(codec, bomb, limit)), 'decompression_limit');
      const grownBytes = process.memoryUsage().rss - before;
      assert(grownBytes < 64 * 1024 * 1024, `memory grew by ${grownBytes} bytes`);
      assert(performance.now() - startedAt < 1_000);
    });
  }

  it('of a snappy length that nothing backs allocate nothing', () => {
    const claim = Buffer.from([0x80, 0x80, 0x80, 0x08, 0x00]);
    assert.equal(reasonOf(decompress(CODEC.snappy, claim, LIMIT)), 'corrupt_batch');
  });

  it('of many empty LZ4 blocks end soon', () => {
    const empty = Buffer.from([1, 0, 0, 0, 0]);
    const header = buildLz4Frame(Buffer.alloc(0), { blockSizeId: 7 }).subarray(0, 7);
    const blocks = Array.from({ length: 200_000 }, () => empty);
    const frame = Buffer.concat([header, ...blocks, Buffer.alloc(4)]);
    const startedAt = performance.now();
    const output = decompress(CODEC.lz4, frame, limit);
    if (output instanceof Uint8Array) assert.equal(output.length, 0);
    assert(performance.now() - startedAt < 2_000);
  });
});
