import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { alterCheckpoint } from '../helpers/log-directory.ts';
import { ingest, NARROW } from '../helpers/quarantined-directory.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { runMain } from './console.ts';

test('replays with the limits that are configured now', async (context) => {
  const directory = temporaryDirectory(context);
  const large = (level: string): string => `{"level":"${level}","msg":"m","pad":"${'x'.repeat(2000)}"}`;
  const values = [large('error'), large('info'), large('debug'), 'no json'];
  const records = values.map((value) => ({ value }));
  await ingest(directory, [{ partition: 0, batches: [{ records }] }], NARROW);
  // As a service that was stopped long ago; nothing has to be waited for.
  alterCheckpoint(directory, (checkpoint) => ({ ...checkpoint, acknowledged: checkpoint.sequence }));
  const env = { LOG_CONSUMER_TRANSFORM_MAX_RECORD_BYTES: '1KiB' };
  const none = await runMain(['replay', directory, '--json'], [], env);
  const report = JSON.parse(none.output) as { stored: number; remaining: unknown };
  assert.deepEqual([report.stored, report.remaining], [0, { too_large: 3, not_json: 1 }]);

  const dry = await runMain(['replay', directory, '--dry-run', '--reason', 'too_large']);
  assert.match(
    dry.output,
    /: 2 records would be stored, 1 also in error_logs\.\n {2}1 are below the minimum level\.\n$/,
  );

  const { code, output } = await runMain(['replay', directory]);
  assert.equal(code, 0);
  assert.match(output, /: 2 records stored, 1 also in error_logs\.\n/);
  assert.match(output, / {2}1 remain: not_json\.\n/);
  const segment = / → (archive\/service_logs\/\S+)/.exec(output)?.[1];
  assert.equal(readFileSync(join(directory, segment ?? ''), 'utf8').split('\n').length, 3);

  assert.match((await runMain(['replay', directory])).output, / {2}3 were replayed before\.\n/);
  const verified = await runMain(['verify', directory]);
  assert.match(verified.output, /0 records stored, 4 quarantined \(2 of them replayed since\)/);
  assert.equal(verified.code, 0);
});
