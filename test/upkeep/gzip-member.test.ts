import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { GZIP_MEMBER_BYTES } from '../../src/core/limits.ts';
import { extendChecksum } from '../../src/storage/checksum.ts';
import { compressMember, type Member } from '../../src/upkeep/gzip-member.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

/** All members of a file with this text. */
function membersOf(context: TestContext, text: string): Member[] {
  const source = join(temporaryDirectory(context), 'lines.jsonl');
  writeFileSync(source, text);
  const members: Member[] = [];
  for (let [start, crc] = [0, 0]; start < text.length; ) {
    const member = compressMember({ source, start, crc, level: 1 });
    members.push(member);
    ({ end: start, crc } = member);
  }
  return members;
}

function textOf({ compressed }: Member): string {
  return gunzipSync(compressed).toString();
}

const LINES: readonly (readonly [string, string, number])[] = [
  ['one line', 'a\n', 1],
  ['a member exactly', `${'x'.repeat(GZIP_MEMBER_BYTES - 1)}\n`, 1],
  ['one byte more', `${'x'.repeat(GZIP_MEMBER_BYTES - 1)}\n${'y'.repeat(10)}\n`, 2],
  ['a line that is longer than a member', `${'x'.repeat(2.5 * GZIP_MEMBER_BYTES)}\nshort\n`, 1],
  ['a long line after a short one', `short\n${'x'.repeat(GZIP_MEMBER_BYTES)}\nshort\n`, 2],
  ['no newline at the end', `a\n${'x'.repeat(GZIP_MEMBER_BYTES)}`, 2],
];

for (const [what, text, count] of LINES) {
  test(`members hold whole lines and everything: ${what}`, (context) => {
    const members = membersOf(context, text);
    assert.equal(members.map(textOf).join(''), text);
    assert.equal(members.length, count);
    for (const member of members.slice(0, -1)) assert.ok(textOf(member).endsWith('\n'));
    assert.equal(members.at(-1)?.crc, extendChecksum(0, Buffer.from(text)));
    assert.equal(
      members.reduce((sum, { lines }) => sum + lines, 0),
      text.split('\n').length - 1,
    );
  });
}
