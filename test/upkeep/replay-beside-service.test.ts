import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Reparse } from '../../src/core/quarantine-entry.ts';
import { NO_FACTS } from '../../src/storage/facts.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { replayedLines, replayWide } from '../helpers/quarantined-directory.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

/** Accepts everything; the line tells the offset. */
const ACCEPT: Reparse = ({ offset }, isDone, visit) => {
  const line = Buffer.from(`{"o":${offset}}\n`);
  if (!isDone(offset)) visit({ kind: 'stored', offset, line, categories: [], facts: NO_FACTS });
};

test('beside a service that writes, rotates and compresses all the time', async (context) => {
  const directory = temporaryDirectory(context);
  const options = { maxFileBytes: 2000, bufferRecords: 1, checkpointIntervalMs: 15 };
  const harness = new WriterHarness(directory, options);
  const sealing = new SealerHarness(directory);
  let offset = 0;
  const wanted: number[] = [];
  const writing = new AbortController();
  const written = (async () => {
    while (!writing.signal.aborted) {
      harness.append(unitOf(0, offset, [[], 'quarantined', 'filtered', 'quarantined', []]));
      wanted.push(offset + 1, offset + 3);
      offset += 5;
      if (offset % 500 === 0) sealing.sealAll();
      await sleep(1);
    }
  })();
  try {
    await harness.wait('rotated', 2);
    let before = 0;
    while (harness.of('rotated').length < 20) {
      await replayWide(directory, { reparse: ACCEPT, settleMs: 5000, maxFileBytes: 800 });
      const { problems, replayed } = await verify(directory);
      assert.deepEqual(problems, []);
      assert.ok(replayed > before, 'each replay finds what came since');
      before = replayed;
    }
  } finally {
    writing.abort();
    await written;
    await harness.stop();
    await sealing.sealer.stop();
  }
  await replayWide(directory, { reparse: ACCEPT });
  const stored = replayedLines(directory, 'service_logs').map(
    (line) => (JSON.parse(line) as { o: number }).o,
  );
  assert.deepEqual(
    stored.sort((left, right) => left - right),
    wanted,
  );
  assert.deepEqual((await verify(directory)).problems, []);
});
