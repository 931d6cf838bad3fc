import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes, type Message, Partitioners } from 'kafkajs';
import { verify } from '../../src/upkeep/verify.ts';
import { breakBuild } from '../helpers/broken-build.ts';
import { checkExactness, EXACT, type ExactnessReport, uniqueMessage } from '../helpers/exactness.ts';
import { createTopic, endOffsets, kafkaClient, testBroker, withAdmin } from '../helpers/kafka.ts';
import { ServiceProcess, waitFor } from '../helpers/service.ts';

const PARTITIONS = 6;
const CODECS = [
  CompressionTypes.None,
  CompressionTypes.GZIP,
  CompressionTypes.Snappy,
  CompressionTypes.LZ4,
  CompressionTypes.ZSTD,
];

interface Run {
  readonly kills: number;
  /** At least so many records are produced. */
  readonly records: number;
  readonly build?: string;
}

interface Outcome {
  readonly report: ExactnessReport;
  readonly verified: Awaited<ReturnType<typeof verify>>;
  readonly kills: number;
}

test('20 SIGKILLs at random moments lose nothing, double nothing and tear no line', async (t) => {
  const { report, verified, kills } = await runWithKills({ kills: 20, records: 100_000 });
  t.diagnostic(`${kills} kills, ${report.stored} stored, ${report.quarantined} quarantined`);
  assert.deepEqual(report.problems, []);
  assert.equal(kills, 20);
  assert.ok(report.stored + report.quarantined >= 100_000);
  const { lost, duplicated, altered, unordered, torn } = report;
  assert.deepEqual({ lost, duplicated, altered, unordered, torn }, EXACT);
  assert.deepEqual(verified.problems, []);
  assert.equal(verified.records, report.stored);
  assert.equal(verified.quarantined, report.quarantined);
});

test('the same kills are noticed on a build that does not cut the files on recovery', async (t) => {
  const build = breakBuild({
    'src/storage/recovery.ts': { replace: 'truncateDurable(path, length);', by: '' },
  });
  t.after(() => build.remove());
  const { report, verified } = await runWithKills({ kills: 6, records: 30_000, build: build.directory });
  assert.ok(report.duplicated > 0 || report.torn > 0, 'lines beyond the checkpoint stayed and came again');
  assert.equal(verified.ok, false);
});

/** Produces while the service is killed again and again, then lets it finish and checks everything. */
async function runWithKills({ kills, records, build }: Run): Promise<Outcome> {
  const bootstrap = await testBroker();
  const topic = await createTopic(bootstrap, 'exactly-once', { partitions: PARTITIONS });
  const directory = mkdtempSync(join(tmpdir(), 'exactly-once-'));
  const options = {
    bootstrap,
    topic,
    groupId: `group-${topic}`,
    directory,
    env: {
      MAX_LOG_FILE_SIZE_MB: '0.5',
      FLUSH_INTERVAL_SEC: '0.02',
      LOG_CONSUMER_OUTPUT_CHECKPOINT_INTERVAL: '250ms',
      LOG_CONSUMER_TRANSFORM_WORKERS: '1',
    },
    ...(build === undefined ? {} : { build }),
  };
  const done = new AbortController();
  let service = new ServiceProcess(options);
  try {
    const production = produceSlowly(bootstrap, topic, records, done.signal);
    let killed = 0;
    // A dead member holds its partitions until its session times out, so a kill takes some seconds.
    for (; killed < kills; killed += 1) {
      await waitFor(
        'the service to store something',
        async () => (await service.metric('logs_processed_total')) > 0,
      );
      await sleep(randomInt(50, 900));
      service.kill('SIGKILL');
      await service.exited;
      service = new ServiceProcess(options);
    }
    done.abort();
    const produced = await production;
    await waitFor('the service to be ready', async () => (await service.get('/health/ready')).status === 200);
    await waitUntilCommitted(bootstrap, topic, options.groupId);
    assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
    return {
      report: await checkExactness(directory, produced),
      verified: await verify(directory),
      kills: killed,
    };
  } finally {
    done.abort();
    await service.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Small batches of every codec over all partitions, until `done` aborts and there are enough. */
async function produceSlowly(
  bootstrap: string,
  topic: string,
  records: number,
  done: AbortSignal,
): Promise<number[]> {
  const producer = kafkaClient(bootstrap).producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const produced = new Array<number>(PARTITIONS).fill(0);
  try {
    for (let sent = 0, round = 0; !done.aborted || sent < records; round += 1) {
      const messages: Message[] = [];
      for (let count = 200; count > 0; count -= 1) {
        const partition = randomInt(PARTITIONS);
        const sequence = produced[partition] ?? 0;
        produced[partition] = sequence + 1;
        messages.push(uniqueMessage(partition, sequence));
      }
      const compression = CODECS[round % CODECS.length] ?? CompressionTypes.None;
      await producer.send({ topic, messages, compression });
      sent += messages.length;
      if (!done.aborted) await sleep(150);
    }
  } finally {
    await producer.disconnect();
  }
  return produced;
}

async function waitUntilCommitted(bootstrap: string, topic: string, groupId: string): Promise<void> {
  const ends = await endOffsets(bootstrap, topic);
  await waitFor('the group to commit everything', async () => {
    const [group] = await withAdmin(bootstrap, (admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
    return [...ends].every(([partition, end]) => {
      const entry = group?.partitions.find((candidate) => candidate.partition === partition);
      return entry !== undefined && BigInt(entry.offset) === end;
    });
  });
}
