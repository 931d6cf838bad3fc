import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LOG_FILES } from '../../../src/core/files.ts';
import { closedSegments } from '../../../src/storage/recovery.ts';
import { Retention } from '../../../src/upkeep/retention/retention.ts';
import { verify } from '../../../src/upkeep/verify.ts';
import { writeSealedDirectory } from '../../helpers/backup-harness.ts';
import { copiesDuring } from '../../helpers/directory-copies.ts';
import { temporaryDirectory } from '../../helpers/temporary-directory.ts';

const DAY_MS = 86_400_000;
/** More than 2 days, so that the empty folders go, too. */
const LATER_MS = 4 * DAY_MS;

function retentionOf(directory: string): Retention {
  const maxAgeMs = {
    service_logs: DAY_MS,
    error_logs: null,
    performance_logs: DAY_MS,
    audit_logs: null,
    quarantine: DAY_MS,
  };
  return new Retention({
    directory,
    policy: { maxAgeMs, maxTotalBytes: null, diskWatermark: null },
    clock: { now: () => Date.now() + LATER_MS, monotonic: () => 0 },
    mayGoThrough: () => Number.MAX_SAFE_INTEGER,
    onRemoved: () => undefined,
  });
}

function countOf(directory: string): number {
  return LOG_FILES.reduce((sum, file) => sum + closedSegments(directory, file).length, 0);
}

async function copies(context: TestContext): Promise<{ wanted: number; directories: string[] }> {
  const directory = await writeSealedDirectory(context);
  const prefix = join(temporaryDirectory(context), 'copy');
  const directories = await copiesDuring(directory, prefix, () => retentionOf(directory).runOnce());
  return { wanted: countOf(directory), directories };
}

test('killed at any step, nothing is unaccounted for, and the next round leaves nothing behind', async (context) => {
  const { wanted, directories } = await copies(context);
  assert.ok(directories.length > 20, String(directories.length));
  for (const directory of directories) {
    assert.deepEqual((await verify(directory)).problems, [], directory);
    await retentionOf(directory).runOnce();
    assert.equal(countOf(directory), wanted, directory);
    const { problems, leftovers } = await verify(directory);
    assert.deepEqual([problems, leftovers], [[], []], directory);
  }
});
