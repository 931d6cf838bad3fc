import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { alter } from '../helpers/log-directory.ts';
import { ingest, NARROW, replayWide } from '../helpers/quarantined-directory.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { runMain } from './console.ts';

const LARGE = `{"msg":"large","pad":"${'x'.repeat(300)}"}`;
const TIME = Date.UTC(2026, 10, 23);

async function directoryWith(context: Parameters<typeof temporaryDirectory>[0]): Promise<string> {
  const directory = temporaryDirectory(context);
  const records = [
    { value: '{"msg":"fine"}' },
    { value: LARGE, key: 'a key', timestamp: TIME },
    { value: 'no \u001b[2Jjson', timestamp: TIME + 1000 },
    { value: LARGE, timestamp: TIME + 2000 },
  ];
  const batches = [{ records }, { records }, { records: [records[0] as object as never], crc: 1 }];
  await ingest(directory, [{ partition: 0, batches }], NARROW);
  return directory;
}

test('counts by reason, with times and examples, over closed, sealed and active files', async (context) => {
  const directory = await directoryWith(context);
  const plain = await runMain(['quarantine', directory, '--json']);
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  assert.ok(harness.sealed.some((path) => path.includes('quarantine')));
  const { code, output } = await runMain(['quarantine', directory, '--json']);
  assert.equal(code, 0);
  assert.equal(output, plain.output);
  const { reasons, ...totals } = JSON.parse(output) as { reasons: Record<string, unknown> };
  assert.deepEqual(totals, { entries: 7, records: 7, replayed: 0, unreadable: 0, instances: [directory] });
  assert.deepEqual(Object.keys(reasons), ['too_large', 'not_json', 'corrupt_batch']);
  assert.deepEqual(reasons['too_large'], {
    entries: 4,
    records: 4,
    replayed: 0,
    first: '2026-11-23T00:00:00.000Z',
    last: '2026-11-23T00:00:02.000Z',
    examples: [{ topic: 'logs', partition: 0, offset: 1, detail: 'the value has 324 bytes, more than 100' }],
  });
});

test('for people, also after a replay', async (context) => {
  const directory = await directoryWith(context);
  await replayWide(directory);
  const { output } = await runMain(['quarantine', directory]);
  assert.match(output, /: 7 records quarantined, 4 of them replayed since\.\n/);
  assert.match(
    output,
    / {2}too_large: 4, 4 replayed, 2026-11-23T00:00:00\.000Z to 2026-11-23T00:00:02\.000Z\n/,
  );
  assert.match(output, / {4}logs\/0 offset 1: the value has 324 bytes, more than 100\n/);
});

test('the entries themselves, without letting a producer command the terminal', async (context) => {
  const directory = await directoryWith(context);
  const all = await runMain(['quarantine', directory, '--reason', 'not_json']);
  assert.match(all.output, /logs\/0 offset 2, 2026-11-23T00:00:01\.000Z: not_json: /);
  assert.ok(!all.output.includes('\u001b') && all.output.includes('no \\u001b[2Jjson'));
  const one = await runMain(['quarantine', directory, '--reason', 'too_large', '--limit', '1']);
  assert.match(one.output, / {2}key a key\n/);
  assert.match(one.output, / … \(324 bytes\)\n/);
  assert.match(one.output, /and more; --limit 10/);
  const json = await runMain(['quarantine', directory, '--reason', 'too_large', '--json']);
  const offsets = json.output
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { offset: number; raw: string }).offset);
  assert.deepEqual(offsets, [1, 3, 5, 7]);
});

test('bytes beyond the checkpoint do not count, and a line that is no entry is told', async (context) => {
  const directory = await directoryWith(context);
  appendFileSync(
    join(directory, 'quarantine.jsonl'),
    '{"reason":"empty","topic":"logs","partition":0,"offset":99}\n',
  );
  alter(join(directory, 'quarantine.jsonl'), (text) => text.replace('{', '['));
  const { output } = await runMain(['quarantine', directory, '--json']);
  const { records, unreadable } = JSON.parse(output) as { records: number; unreadable: number };
  assert.deepEqual([records, unreadable], [6, 1]);
});

test('wrong usage', async (context) => {
  const directory = temporaryDirectory(context);
  const reason = await runMain(['quarantine', directory, '--reason', 'odd']);
  assert.deepEqual(
    [reason.code, /There is no reason "odd"; the reasons are not_json,/.test(reason.errors)],
    [2, true],
  );
  const empty = await runMain(['quarantine', directory]);
  assert.deepEqual([empty.code, /holds no checkpoint/.test(empty.errors)], [1, true]);
});
