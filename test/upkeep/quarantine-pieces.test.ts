import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freeze } from '../../src/upkeep/frozen-view.ts';
import { linesOf, quarantinePieces } from '../../src/upkeep/quarantine-pieces.ts';
import { hookFileSystem } from '../helpers/file-system-hook.ts';
import { closedFiles } from '../helpers/log-directory.ts';
import { SealerHarness } from '../helpers/sealer-harness.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { quarantineLineOf, unitOf } from '../helpers/write-units.ts';
import { WriterHarness } from '../helpers/writer-harness.ts';

const COUNT = 30;
const lines = (to: number): string[] =>
  Array.from({ length: to }, (_, offset) => quarantineLineOf(0, offset).trimEnd());

async function read(directory: string, start = 0): Promise<string[]> {
  const view = await freeze(directory);
  try {
    const found: string[] = [];
    for (const piece of quarantinePieces(directory, view.newest)) {
      for await (const group of linesOf(piece, found.length === 0 ? start : 0))
        found.push(...group.map(String));
    }
    return found;
  } finally {
    view.close();
  }
}

/** @param onCall called before each call to the file system */
async function write(directory: string, onCall: (call: string) => void = () => undefined): Promise<void> {
  const release = hookFileSystem(onCall);
  const harness = new WriterHarness(directory, { maxFileBytes: 400, bufferRecords: 1 });
  for (let offset = 0; offset < COUNT; offset += 1) harness.append(unitOf(0, offset, ['quarantined']));
  await harness.stop();
  release();
}

test('every line once and in order, at whatever moment of a rotation', async (context) => {
  const parent = temporaryDirectory(context);
  const directory = join(parent, 'files');
  const copies: string[] = [];
  await write(directory, (call) => {
    if (call !== 'renameSync') return;
    copies.push(join(parent, `copy-${copies.length}`));
    cpSync(directory, copies.at(-1) as string, { recursive: true });
  });
  assert.ok(copies.length > 5);
  let unfinished = 0;
  for (const copy of copies) {
    const view = await freeze(copy).catch(() => undefined);
    if (view === undefined) continue;
    const { partitions, pending_renames } = view.newest.checkpoint;
    view.close();
    if (pending_renames.length > 0) unfinished += 1;
    assert.deepEqual(await read(copy), lines(partitions['logs/0']?.next_offset ?? 0));
  }
  assert.ok(unfinished > 2);
});

test('compressed, half compressed, and from the middle on', async (context) => {
  const directory = temporaryDirectory(context);
  await write(directory);
  const skipped = Buffer.byteLength(`${lines(2).join('\n')}\n`);
  assert.deepEqual(await read(directory, skipped), lines(COUNT).slice(2));
  const copy = `${directory}-plain`;
  cpSync(directory, copy, { recursive: true });
  context.after(() => rmSync(copy, { recursive: true }));
  const harness = new SealerHarness(directory);
  harness.sealAll();
  await harness.idle();
  assert.ok(closedFiles(directory, 'quarantine', '.gz').length > 1);
  assert.deepEqual(await read(directory), lines(COUNT));
  assert.deepEqual(await read(directory, skipped), lines(COUNT).slice(2));
  cpSync(copy, directory, { recursive: true });
  assert.deepEqual(await read(directory), lines(COUNT), 'both forms of a segment are one');
});
