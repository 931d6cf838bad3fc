import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineBuffer } from '../../src/transform/line-buffer.ts';
import { appendBase64, appendBytes, isReadable } from '../../src/transform/quarantine-bytes.ts';

function appended(append: (line: LineBuffer) => void): Record<string, string> {
  const line = new LineBuffer(new ArrayBuffer(0));
  append(line);
  return JSON.parse(`{${Buffer.from(line.bytes.subarray(0, line.length)).toString()}}`) as Record<
    string,
    string
  >;
}

test('text of any length comes back, wherever its pieces end', () => {
  for (const character of ['a', 'é', '語', '😀', '"', '\\', '\n']) {
    for (const shift of [0, 1, 2, 3]) {
      const text = 'x'.repeat(shift) + character.repeat(70_000);
      const { raw, raw_encoding: encoding } = appended((line) => appendBytes(line, 'raw', Buffer.from(text)));
      assert.ok(raw === text && encoding === undefined, `${character} after ${shift}`);
    }
  }
});

test('base64 of any length comes back', () => {
  for (const length of [0, 1, 48 * 1024 - 1, 48 * 1024, 48 * 1024 + 1, 150_000]) {
    const bytes = Buffer.alloc(length, 0xfe);
    const { raw = '', raw_encoding: encoding } = appended((line) => appendBase64(line, 'raw', bytes));
    assert.ok(encoding === 'base64' && Buffer.from(raw, 'base64').equals(bytes), String(length));
  }
});

test('readable is what grows to at most twice its size', () => {
  const cases: readonly (readonly [string | Buffer, boolean])[] = [
    ['', true],
    ['{"a":"b"}', true],
    ['"'.repeat(100), true],
    ['\n'.repeat(100), true],
    ['\u0001'.repeat(100), false],
    ['\u0085'.repeat(100), false],
    ['\u2028'.repeat(100), false],
    ['\u001b[31man error in red\u001b[0m', true],
    [Buffer.of(0xff), false],
  ];
  for (const [bytes, readable] of cases) {
    assert.equal(isReadable(Buffer.from(bytes as string)), readable, JSON.stringify(bytes));
  }
});

test('a line is never more than about twice its bytes', () => {
  for (const byte of [0x01, 0x22, 0x41, 0xff]) {
    const line = new LineBuffer(new ArrayBuffer(0));
    appendBytes(line, 'raw', Buffer.alloc(1_000_000, byte));
    assert.ok(line.length <= 2_000_100, String(byte));
  }
});
