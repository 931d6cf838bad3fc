import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { verify } from '../../src/upkeep/verify.ts';
import { writeLogDirectory } from '../helpers/log-directory.ts';
import { runMain } from './console.ts';

test('a directory in order exits 0 and says what it holds', async (context) => {
  const directory = await writeLogDirectory(context);
  const { code, output, errors } = await runMain(['verify', directory]);
  assert.deepEqual([code, errors], [0, '']);
  assert.match(output, /: 42 records stored, 14 quarantined, 14 below the minimum level\.\n/);
  assert.match(
    output,
    /\n {2}logs\/1: offset 0 up to 40, 30 records, 0 offsets without a record, offsets 20 to 29 given up \(deleted_by_kafka\)\n/,
  );
  assert.match(output, /\nEverything fits\.\n$/);
});

test('a directory with a problem exits 1 and names it', async (context) => {
  const directory = await writeLogDirectory(context);
  rmSync(join(directory, 'service_logs.jsonl'));
  const { code, output } = await runMain(['verify', directory]);
  assert.equal(code, 1);
  assert.match(output, /\nProblems:\n {2}.*service_logs\.jsonl cannot be read/);
});

test('--json prints the report, and the configured directory is the default', async (context) => {
  const directory = await writeLogDirectory(context);
  const { code, output } = await runMain(['verify', '--json'], [], { LOG_OUTPUT_DIR: directory });
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(output), JSON.parse(JSON.stringify(await verify(directory))));
  assert.equal((await runMain(['verify', '/nowhere', '--json'])).code, 1);
});
