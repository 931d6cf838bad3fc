import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { extendChecksum, formatChecksum } from '../../src/storage/checksum.ts';
import { checkLines, type LineCheck, type LineCheckOptions } from '../../src/upkeep/line-check.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

function fileWith(context: TestContext): (bytes: Uint8Array | string) => string {
  const path = join(temporaryDirectory(context), 'file');
  return (bytes) => {
    writeFileSync(path, bytes);
    return path;
  };
}

async function linesOf(
  path: string,
  options: LineCheckOptions,
): Promise<{ found: LineCheck; lines: string[] }> {
  const lines: string[] = [];
  const found = await checkLines(path, { ...options, onLine: (line) => lines.push(line.toString()) });
  return { found, lines };
}

/** A sealed file of one gzip member for each of `parts`. */
function sealedFrom(parts: readonly Buffer[]): {
  stored: Buffer;
  sealed: NonNullable<LineCheckOptions['sealed']>;
} {
  const compressed = parts.map((part) => gzipSync(part));
  const members = parts.map((part, index) => [compressed[index]?.length ?? 0, part.length] as const);
  return { stored: Buffer.concat(compressed), sealed: { format: 'gzip', members } };
}

test('lines, bytes and checksums of plain and compressed text are the same', async (context) => {
  const write = fileWith(context);
  const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\n', ''));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), line, async (expected, torn) => {
      const text = expected.map((each) => `${each}\n`).join('') + torn;
      const bytes = Buffer.from(text);
      for (const isSealed of [false, true]) {
        const { stored, sealed } = sealedFrom(isSealed ? [bytes] : []);
        const source = isSealed ? linesOf(write(stored), { sealed }) : linesOf(write(bytes), {});
        const { found, lines } = await source;
        assert.deepEqual(lines, expected);
        assert.deepEqual(found, {
          bytes: bytes.length,
          lines: expected.length,
          crc32c: formatChecksum(extendChecksum(0, bytes)),
          sha256: createHash('sha256')
            .update(isSealed ? stored : bytes)
            .digest('hex'),
          malformed: expected.filter((each) => !(each.startsWith('{') && each.endsWith('}'))).length,
          torn: Buffer.byteLength(torn),
        });
      }
    }),
    { numRuns: 60 },
  );
});

test('lines that go over several reads, and several members, are whole', async (context) => {
  const write = fileWith(context);
  const expected = [2_500_000, 1, 1_048_575, 1_048_576, 3].map((length) => `{${'x'.repeat(length)}}`);
  const text = expected.map((line) => `${line}\n`);
  const { stored, sealed } = sealedFrom(text.map((line) => Buffer.from(line)));
  for (const [bytes, options] of [
    [text.join(''), {}],
    [stored, { sealed }],
  ] as const) {
    const { found, lines } = await linesOf(write(bytes), options);
    assert.deepEqual([found.lines, found.malformed, found.torn], [5, 0, 0]);
    assert.ok(lines.every((line, index) => line === expected[index]));
  }
});

test('nothing beyond the given length is read', async (context) => {
  const path = fileWith(context)('{1}\n{2}\n{3}\n');
  const { found, lines } = await linesOf(path, { length: 8 });
  assert.deepEqual([lines, found.bytes, found.torn], [['{1}', '{2}'], 8, 0]);
  assert.equal((await checkLines(path, { length: 0 })).bytes, 0);
  assert.equal((await checkLines(path, { length: 6 })).torn, 2);
});

test('bytes behind the last member are part of the checksum', async (context) => {
  const { stored, sealed } = sealedFrom([Buffer.from('{1}\n')]);
  const longer = Buffer.concat([stored, gzipSync('{2}\n')]);
  const { found, lines } = await linesOf(fileWith(context)(longer), { sealed });
  assert.deepEqual(lines, ['{1}']);
  assert.equal(found.sha256, createHash('sha256').update(longer).digest('hex'));
});

test('damaged gzip and missing files are errors, and leave no file open', async (context) => {
  const write = fileWith(context);
  const lines = Buffer.from('{"a":1}\n'.repeat(400_000));
  const whole = gzipSync(lines, { level: 0 });
  const sealed = { format: 'gzip', members: [[whole.length, lines.length]] } as const;
  const damaged = Buffer.from(whole);
  damaged.fill(7, 10, 200);
  const before = readdirSync('/proc/self/fd').length;
  for (const bytes of [whole.subarray(0, 1000), damaged, Buffer.from('not gzip')]) {
    await assert.rejects(checkLines(write(bytes), { sealed }));
  }
  await assert.rejects(checkLines('/nowhere/at/all', { sealed }), { code: 'ENOENT' });
  await sleep(20);
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
