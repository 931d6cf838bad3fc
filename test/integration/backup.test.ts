/** A machine that is lost: what the store has comes back, and Kafka gives the rest again. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { LOG_FILES } from '../../src/core/files.ts';
import { closedSegments } from '../../src/storage/recovery.ts';
import { runMain } from '../commands/console.ts';
import { Scene, waitUntilReading } from '../failure/helpers/scene.ts';
import { seeded } from '../failure/helpers/seed.ts';
import { NO_S3, S3_TEST, S3Server, variablesOf } from '../helpers/s3-server.ts';
import { waitFor } from '../helpers/service.ts';

let server: S3Server;
before(async () => {
  if (NO_S3 === false) server = await S3Server.start();
});
after(() => server?.stop());

test(
  'a service goes on from a backup that was made while it ran: every record is there once',
  S3_TEST,
  async (context) => {
    const { random } = seeded(context);
    const scene = await Scene.set(context, { name: 'lost-machine', random });
    const env = { LOG_OUTPUT_DIR: scene.directory, ...variablesOf(server.target({ prefix: 'lost' })) };
    const traffic = scene.traffic({ rate: 5000, atLeast: 40_000 });
    const service = scene.start();
    await waitFor('some files to be compressed', async () => sealedFiles(scene.directory) > 8);
    const copied = await runMain(['backup', 'run', '--json'], [], env);
    assert.equal(copied.code, 0, copied.output + copied.errors);
    const checked = await runMain(['backup', 'verify', '--json'], [], env);
    assert.equal(checked.code, 0, checked.output + checked.errors);
    await new Promise((resolve) => setTimeout(resolve, 500));
    service.kill('SIGKILL');
    await service.exited;
    await scene.expelDeadMembers();
    for (const name of readdirSync(scene.directory)) rmSync(join(scene.directory, name), { recursive: true });
    const restored = await runMain(['restore', scene.directory, '--json'], [], env);
    assert.equal(restored.code, 0, restored.errors);
    const accepted = await runMain(['verify', '--json', scene.directory], [], {});
    assert.equal(accepted.code, 0, accepted.output);
    const { records } = JSON.parse(accepted.output) as { records: number };
    assert.ok(records > 0);
    const again = scene.start();
    await waitUntilReading(again);
    const produced = await traffic.finish();
    const found = await scene.finish(produced, 120_000);
    assert.ok(found.stored > records);
  },
);

function sealedFiles(directory: string): number {
  return LOG_FILES.flatMap((file) => closedSegments(directory, file)).filter(({ suffixes }) =>
    suffixes.includes('.jsonl.gz'),
  ).length;
}
