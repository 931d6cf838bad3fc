/** The quarantine of a real service, replayed beside it by a process that is killed again and again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SETTLE_MS } from '../../src/core/limits.ts';
import { verify } from '../../src/upkeep/verify.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { contentOf } from '../helpers/directory-content.ts';
import { createTopic, produce, testBroker } from '../helpers/kafka.ts';
import { replayedLines } from '../helpers/quarantined-directory.ts';
import { PROJECT_DIRECTORY, ServiceProcess, waitFor } from '../helpers/service.ts';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';

const RECORDS = 300;
const KILLS = 8;

/** Every third record is too large for the service; every record has its number. */
function largeOrSmall(number: number): string {
  return `{"level":"info","message":"record ${number}","pad":"${'x'.repeat(number % 3 === 0 ? 3000 : 10)}"}`;
}

test('small limits, then a replay with larger ones: every record once, whatever is killed', async (context) => {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'replay', { partitions: 2 });
  const directory = temporaryDirectory(context);
  const service = new ServiceProcess({
    bootstrap,
    topic,
    groupId: topic,
    directory,
    env: { LOG_CONSUMER_TRANSFORM_MAX_RECORD_BYTES: '1KiB', MAX_LOG_FILE_SIZE_MB: '0.02' },
  });
  try {
    const numbers = Array.from({ length: RECORDS }, (_, number) => number);
    const messages = numbers.map((number) => ({ key: `${number}`, value: largeOrSmall(number) }));
    await produce(bootstrap, topic, messages, { batchRecords: 20 });
    await waitFor('all records', async () => {
      const { records, quarantined } = await verify(directory);
      return records + quarantined === RECORDS;
    });
    const env = { LOG_OUTPUT_DIR: directory, LOG_LEVEL: 'TRACE', MAX_LOG_FILE_SIZE_MB: '0.02' };
    // From then on a replay does not wait for Kafka, so that the kills find it at work.
    await sleep(SETTLE_MS);
    for (let kill = 0; kill < KILLS; kill += 1) await replayKilledAfter(150 + 60 * kill, env);
    const { code, errors } = await runCommandLine(['replay'], env);
    assert.equal(code, 0, errors);
    const again = await runCommandLine(['replay', '--json'], env);
    assert.equal((JSON.parse(again.output) as { stored: number }).stored, 0);
    const { problems, replayed } = await verify(directory);
    assert.deepEqual([problems, replayed], [[], RECORDS / 3]);
    const lines = contentOf(directory, 'service_logs').trim().split('\n');
    const stored = [...lines, ...replayedLines(directory, 'service_logs')].map((line) =>
      Number(/"record (\d+)"/.exec(line)?.[1]),
    );
    assert.deepEqual(
      stored.sort((left, right) => left - right),
      numbers,
    );
  } finally {
    await service.stop();
  }
  assert.deepEqual((await verify(directory)).problems, []);
});

async function replayKilledAfter(milliseconds: number, env: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn(process.execPath, ['src/main.ts', 'replay'], {
    cwd: PROJECT_DIRECTORY,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await sleep(milliseconds);
  child.kill('SIGKILL');
  await exited;
}
