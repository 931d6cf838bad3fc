import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { instancesOf, settledView } from '../../src/upkeep/settled-view.ts';
import { alterCheckpoint } from '../helpers/log-directory.ts';
import { replayWide } from '../helpers/quarantined-directory.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { unitOf } from '../helpers/write-units.ts';
import { TestClock, WriterHarness } from '../helpers/writer-harness.ts';

const OPTIONS = { bufferRecords: 1 };

/** The sequences of the checkpoints that count. */
async function sequences(root: string, settleMs: number, clock = new TestClock()): Promise<number[]> {
  const view = await settledView(instancesOf(root), clock, settleMs);
  view.close();
  return view.subjects.map(({ files }) => files.checkpoint.sequence);
}

test('what Kafka has not acknowledged is waited for', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, OPTIONS, 'silent');
  harness.acknowledge((await harness.wait('ready')).checkpoint.sequence);
  harness.append(unitOf(0, 0, ['quarantined']));
  harness.writer.request({ kind: 'checkpoint' });
  const { sequence } = await harness.wait('checkpointed');
  const waiting = sequences(directory, 60_000);
  await new Promise((resolve) => setTimeout(resolve, 150));
  harness.acknowledge(sequence);
  harness.append(unitOf(0, 1, ['quarantined']));
  harness.writer.request({ kind: 'checkpoint' });
  await harness.wait('checkpointed', 2);
  assert.deepEqual(await waiting, [sequence], 'the checkpoint that came meanwhile is not acknowledged');
  harness.acknowledge(sequence + 1);
  await harness.stop();
});

test('a checkpoint that stays the newest counts after a while, as when the service is idle', async (context) => {
  const directory = temporaryDirectory(context);
  const harness = new WriterHarness(directory, OPTIONS, 'silent');
  harness.acknowledge((await harness.wait('ready')).checkpoint.sequence);
  harness.append(unitOf(0, 0, ['quarantined']));
  harness.writer.request({ kind: 'checkpoint' });
  const { sequence } = await harness.wait('checkpointed');
  const startedAt = performance.now();
  assert.deepEqual(await sequences(directory, 300), [sequence]);
  assert.ok(performance.now() - startedAt >= 290, 'not before');
  const later = new TestClock();
  later.offsetMs = 3_600_000;
  assert.deepEqual(await sequences(directory, 60_000, later), [sequence], 'at once, when it is old already');
  harness.acknowledge(sequence);
  await harness.stop();
});

test('of two instances with the same records, one replays them', async (context) => {
  const root = temporaryDirectory(context);
  for (const id of ['a', 'b']) {
    const harness = new WriterHarness(join(root, 'instances', id), { ...OPTIONS, instance: id });
    await harness.wait('ready');
    harness.append(unitOf(0, 0, ['quarantined', 'quarantined']));
    await harness.stop();
    alterCheckpoint(join(root, 'instances', id), (checkpoint) => ({
      ...checkpoint,
      acknowledged: checkpoint.sequence,
    }));
  }
  const reparse: Parameters<typeof replayWide>[1] = {
    reparse: (entry, isDone, visit) => {
      if (!isDone(entry.offset)) visit({ kind: 'filtered', offset: entry.offset });
    },
  };
  const report = await replayWide(root, reparse);
  assert.deepEqual([report.filtered, report.already_replayed], [2, 2]);
});
