import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SegmentFacts } from '../../src/storage/facts.ts';
import {
  NOTHING_REMOVED,
  readRetentionLedger,
  removedThrough,
  withRemoved,
  writeRetentionLedger,
} from '../../src/storage/retention-ledger.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

function factsOf(file: string, number: number, offsets: Record<string, { from: number; to: number }> = {}) {
  const totals = { consumed: 10, written: 7, filtered: 2, quarantined: 1 };
  const accounts = file === 'service_logs' ? { accounts: { offsets, totals } } : {};
  return { version: 1, file, number, records: 7, bytes: 70, ...accounts } as unknown as SegmentFacts;
}

test('a directory without a ledger lacks nothing on purpose', (context) => {
  const ledger = readRetentionLedger(temporaryDirectory(context));
  assert.equal(ledger, NOTHING_REMOVED);
  assert.equal(removedThrough(ledger, 'service_logs'), 0);
});

test('it adds up what the removed segments held, and comes back as it was written', (context) => {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'state'));
  const first = { 'logs/0': { from: 0, to: 5 }, 'logs/1': { from: 3, to: 9 } };
  let ledger = withRemoved(NOTHING_REMOVED, factsOf('service_logs', 1, first));
  ledger = withRemoved(ledger, factsOf('service_logs', 2, { 'logs/0': { from: 5, to: 8 } }));
  ledger = withRemoved(ledger, factsOf('quarantine', 1), { 'logs/0': { records: 2, last_offset: 4 } });
  ledger = withRemoved(ledger, factsOf('quarantine', 2), { 'logs/0': { records: 1, last_offset: 7 } });
  ledger = withRemoved(ledger, factsOf('audit_logs', 1));
  writeRetentionLedger(directory, ledger);
  assert.deepEqual(readRetentionLedger(directory), {
    version: 1,
    files: {
      service_logs: {
        removed_through: 2,
        records: 14,
        bytes: 140,
        totals: { consumed: 20, written: 14, filtered: 4, quarantined: 2 },
        offsets: { 'logs/0': { from: 0, to: 8 }, 'logs/1': { from: 3, to: 9 } },
      },
      quarantine: {
        removed_through: 2,
        records: 14,
        bytes: 140,
        quarantine: { 'logs/0': { records: 3, last_offset: 7 } },
      },
      audit_logs: { removed_through: 1, records: 7, bytes: 70 },
    },
  });
});

test('only the oldest segment that is left can go', () => {
  assert.throws(() => withRemoved(NOTHING_REMOVED, factsOf('service_logs', 2)), /but 1 is the oldest/);
  assert.throws(() => withRemoved(NOTHING_REMOVED, factsOf('other', 1)), /segment of other/);
});

test('a ledger that is torn, altered or of another version is refused', (context) => {
  const directory = temporaryDirectory(context);
  mkdirSync(join(directory, 'state'));
  writeRetentionLedger(directory, { ...NOTHING_REMOVED, version: 2 as 1 });
  assert.throws(() => readRetentionLedger(directory), /retention\.json is damaged/);
  for (const text of ['', '{"version":1,"files":{}}\n', '{"version":1,"checksum":"crc32c:00000000"}\n']) {
    writeFileSync(join(directory, 'state/retention.json'), text);
    assert.throws(() => readRetentionLedger(directory), /retention\.json is damaged/);
  }
});
