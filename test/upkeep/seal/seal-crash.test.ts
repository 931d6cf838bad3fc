import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOG_FILES } from '../../../src/core/files.ts';
import { closedSegments } from '../../../src/storage/recovery.ts';
import { removeLeftovers } from '../../../src/upkeep/seal/unsealed.ts';
import { verify } from '../../../src/upkeep/verify.ts';
import { sealAll } from '../../helpers/backup-harness.ts';
import { contentsOf } from '../../helpers/directory-content.ts';
import { copiesDuring } from '../../helpers/directory-copies.ts';
import { writeLogDirectory } from '../../helpers/log-directory.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

/** Sealing is the same for every segment, so of the many copies a part tells enough. */
const EVERY = 4;

test('killed at any step, sealing loses nothing, doubles nothing, and the next start leaves nothing half-done', async (context) => {
  const directory = await writeLogDirectory(context);
  const before = contentsOf(directory);
  const copies = await copiesDuring(directory, join(temporaryDirectory(context), 'copy'), () =>
    sealAll(directory),
  );
  assert.ok(copies.length >= 50, String(copies.length));
  for (const copy of copies.filter((_, index) => index % EVERY === 0)) {
    assert.deepEqual(contentsOf(copy), before, copy);
    assert.deepEqual((await verify(copy)).problems, [], copy);
    removeLeftovers(copy);
    await sealAll(copy);
    assert.deepEqual(contentsOf(copy), before, copy);
    assert.deepEqual((await verify(copy)).problems, [], copy);
    const names = readdirSync(copy, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      names.filter((name) => /\.tmp$/.test(name)),
      [],
      copy,
    );
    const plain = LOG_FILES.flatMap((file) => closedSegments(copy, file)).filter(({ suffixes }) =>
      suffixes.includes('.jsonl'),
    );
    assert.deepEqual(plain, [], copy);
  }
});
