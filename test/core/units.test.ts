import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBytes, formatDuration, parseBytes, parseDuration } from '../../src/core/units.ts';

test('sizes', () => {
  const table: [string, number | undefined][] = [
    ['0B', 0],
    ['1B', 1],
    ['64KiB', 65_536],
    ['64 KiB', 65_536],
    ['1.5MiB', 1_572_864],
    ['0.1MiB', 104_858],
    ['2GiB', 2_147_483_648],
    ['1TiB', 1_099_511_627_776],
    ['', undefined],
    ['64', undefined],
    ['MiB', undefined],
    ['-1MiB', undefined],
    ['1MB', undefined],
    ['1mib', undefined],
    ['1 MiB ', undefined],
    ['1e3KiB', undefined],
    ['9007199254740992B', undefined],
  ];
  for (const [text, bytes] of table) assert.equal(parseBytes(text), bytes, text);
});

test('durations', () => {
  const table: [string, number | undefined][] = [
    ['250ms', 250],
    ['30s', 30_000],
    ['0.5s', 500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['30', undefined],
    ['30x', undefined],
    ['1w', undefined],
    ['-1s', undefined],
    ['1h30m', undefined],
  ];
  for (const [text, milliseconds] of table) assert.equal(parseDuration(text), milliseconds, text);
});

test('amounts are printed in the largest unit that divides them', () => {
  assert.deepEqual([0, 1, 1024, 104_857_600, 1025].map(formatBytes), ['0B', '1B', '1KiB', '100MiB', '1025B']);
  assert.deepEqual([0, 90_000, 60_000, 250, 86_400_000].map(formatDuration), [
    '0ms',
    '90s',
    '1m',
    '250ms',
    '1d',
  ]);
});

test('what is printed reads back as the same amount', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (amount) => {
      assert.equal(parseBytes(formatBytes(amount)), amount);
      assert.equal(parseDuration(formatDuration(amount)), amount);
    }),
  );
});
