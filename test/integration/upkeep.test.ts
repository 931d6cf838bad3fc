/** A service that seals, backs up, sends dead letters and removes old files, all while it consumes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { verify } from '../../src/upkeep/verify.ts';
import { runMain } from '../commands/console.ts';
import { Scene } from '../failure/helpers/scene.ts';
import { seeded } from '../failure/helpers/seed.ts';
import { createTopic, withAdmin } from '../helpers/kafka.ts';
import { NO_S3, S3_TEST, S3Server, variablesOf } from '../helpers/s3-server.ts';
import { type ServiceProcess, waitFor } from '../helpers/service.ts';

let server: S3Server;
before(async () => {
  if (NO_S3 === false) server = await S3Server.start();
});
after(() => server?.stop());

test('old files go when the store has them, and every record is accounted for', S3_TEST, async (context) => {
  const { random } = seeded(context);
  const backup = variablesOf(server.target({ prefix: 'upkeep' }));
  const scene = await Scene.set(context, { name: 'upkeep', random, env: backup });
  const deadLetters = await createTopic(scene.bootstrap, 'dead-letters');
  const traffic = scene.traffic({ rate: 5000, atLeast: 60_000 });
  const service = scene.start({
    // Some seconds.
    LOG_RETENTION_DAYS: '0.00004',
    LOG_CONSUMER_QUARANTINE_DEAD_LETTER_TOPIC: deadLetters,
  });
  await waitFor('old files to be removed', async () => (await removed(service)) > 3, 60_000);
  const produced = await traffic.finish();
  await scene.waitUntilCommitted();
  await waitFor('the dead letters', async () => (await lettersIn(scene, deadLetters)) > 0, 60_000);
  assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
  const report = await verify(scene.directory);
  assert.deepEqual(report.problems, []);
  assert.ok(report.removed.segments > 3);
  const consumed = produced.reduce((sum, count) => sum + count, 0);
  assert.equal(report.records + report.removed.records + report.quarantined, consumed);
  const env = { LOG_OUTPUT_DIR: scene.directory, ...backup };
  const copied = await runMain(['backup', 'verify', '--json'], [], env);
  assert.equal(copied.code, 0, copied.output + copied.errors);
  assert.doesNotMatch(service.log, /"level":"(ERROR|FATAL)"/);
});

function removed(service: ServiceProcess): Promise<number> {
  return service.metric('log_consumer_retention_segments_total');
}

async function lettersIn({ bootstrap }: Scene, topic: string): Promise<number> {
  const offsets = await withAdmin(bootstrap, (admin) => admin.fetchTopicOffsets(topic));
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}
