import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freeze } from '../../src/upkeep/frozen-view.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

test('a directory that is written and rotated all the time is in order whenever one looks', async (t) => {
  const directory = temporaryDirectory(t);
  const harness = new WriterHarness(directory, {
    maxFileBytes: 2000,
    bufferRecords: 1,
    checkpointIntervalMs: 15,
  });
  let offset = 0;
  const writing = new AbortController();
  const written = (async () => {
    while (!writing.signal.aborted) {
      harness.append(unitOf(0, offset, [['error_logs'], [], 'quarantined', 'filtered', []]));
      offset += 5;
      await sleep(1);
    }
  })();
  try {
    await harness.wait('rotated', 2);
    while (harness.of('rotated').length < 20) {
      const { ok, problems } = await verify(directory);
      assert.deepEqual([ok, problems], [true, []]);
    }
  } finally {
    writing.abort();
    await written;
    await harness.stop();
  }
});

test('a directory without a checkpoint cannot be held still', async (t) => {
  const directory = temporaryDirectory(t);
  await assert.rejects(freeze(directory), { code: 'CHECKPOINT_CORRUPT', message: /holds no checkpoint/ });
});
