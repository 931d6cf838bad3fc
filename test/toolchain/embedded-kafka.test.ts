import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CompressionTypes } from 'kafkajs';
import { startKafka } from '../../scripts/kafka/embedded-kafka.ts';
import { findJava, SetupError } from '../../scripts/kafka/java-tools.ts';
import { ensureLibraries } from '../../scripts/kafka/libraries.ts';
import { freePort } from '../../scripts/kafka/ports.ts';
import {
  createTopic,
  deleteTopic,
  endOffsets,
  inTransaction,
  kafkaClient,
  produce,
  testBroker,
  waitForEnd,
  withAdmin,
} from '../helpers/kafka.ts';
import { givenBrokers } from '../helpers/shared-broker.ts';

const run = promisify(execFile);
const RUN_KAFKA = fileURLToPath(new URL('../../scripts/kafka/run.ts', import.meta.url));

/** Whoever names a broker may have no Java; then only the tests that need one of ours are left out. */
const skip = givenBrokers() === undefined ? false : 'KAFKA_BROKERS names the broker to use';

describe('the broker of the tests', () => {
  it('keeps what kafkajs produces, for every compression', async () => {
    const bootstrap = await testBroker();
    const topic = await createTopic(bootstrap, 'codecs', { partitions: 5 });
    const codecs = Object.values(CompressionTypes).filter((codec) => typeof codec === 'number');
    for (const [partition, compression] of codecs.entries()) {
      const messages = Array.from({ length: 100 }, (_, i) => ({ partition, value: `record ${i}` }));
      await produce(bootstrap, topic, messages, { compression, batchRecords: 40 });
    }
    const ends = await endOffsets(bootstrap, topic);
    assert.deepEqual([...ends.values()], [100n, 100n, 100n, 100n, 100n]);
  });

  it('hands records to a consumer group', async () => {
    const bootstrap = await testBroker();
    const topic = await createTopic(bootstrap, 'consume');
    await produce(bootstrap, topic, [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    const consumer = kafkaClient(bootstrap).consumer({ groupId: topic });
    await consumer.connect();
    try {
      await consumer.subscribe({ topic, fromBeginning: true });
      const lastOffset = await new Promise((resolve) => {
        void consumer.run({ eachBatch: async ({ batch }) => resolve(batch.lastOffset()) });
      });
      assert.equal(lastOffset, '2');
    } finally {
      await consumer.disconnect();
    }
  });

  it('ends transactions as told', async () => {
    const bootstrap = await testBroker();
    const topic = await createTopic(bootstrap, 'transactions');
    for (const decision of ['commit', 'abort'] as const) {
      await inTransaction(bootstrap, async (transaction) => {
        await transaction.send({ topic, messages: [{ value: decision }] });
        return decision;
      });
    }
    // Two records and two control records, and nothing left open.
    await waitForEnd(bootstrap, topic, 4n);
    assert.deepEqual(await endOffsets(bootstrap, topic), new Map([[0, 4n]]));
  });

  it('deletes a topic', async () => {
    const bootstrap = await testBroker();
    const topic = await createTopic(bootstrap, 'deleted');
    await deleteTopic(bootstrap, topic);
    const topics = await withAdmin(bootstrap, (admin) => admin.listTopics());
    assert.ok(!topics.includes(topic));
  });
});

describe('startKafka', { skip }, () => {
  it('keeps its data over kill and restart, on the same port', async () => {
    const kafka = await startKafka();
    try {
      const { bootstrap, pid } = kafka;
      const topic = await createTopic(bootstrap, 'restart');
      await produce(bootstrap, topic, [{ value: 'before' }]);
      kafka.kill('SIGKILL');
      assert.equal(await kafka.ended(), 'was ended by SIGKILL');
      await kafka.restart();
      assert.notEqual(kafka.pid, pid);
      await produce(bootstrap, topic, [{ value: 'after' }]);
      assert.deepEqual(await endOffsets(bootstrap, topic), new Map([[0, 2n]]));
    } finally {
      await kafka.stop();
    }
    assert.ok(!existsSync(kafka.directory), 'its temporary directory is gone');
    assert.ok(!isRunning(kafka.pid), 'its process is gone');
  });

  it('says why the broker did not start', async () => {
    await assert.rejects(
      startKafka({ extraProperties: { 'num.network.threads': 'three' } }),
      /num\.network\.threads/,
    );
  });
});

describe('npm run kafka', { skip }, () => {
  it('is ready on its port, and SIGINT ends all of it', async () => {
    const { child, line, port } = await runKafka();
    assert.equal(line, `kafka ready on 127.0.0.1:${port}`);
    await createTopic(`127.0.0.1:${port}`, 'foreground');
    const broker = await childPidOf(child);
    child.kill('SIGINT');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.ok(!isRunning(broker));
  });

  it('leaves no broker behind when it is killed', async () => {
    const { child } = await runKafka();
    const broker = await childPidOf(child);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(() => !isRunning(broker));
  });

  it('refuses a port that is taken, in one sentence', async () => {
    const { child, port } = await runKafka();
    const failure = await run(process.execPath, [RUN_KAFKA], { env: withPort(port) }).catch((e) => e);
    child.kill('SIGINT');
    await once(child, 'exit');
    assert.equal(failure.code, 1);
    assert.match(failure.stderr, new RegExp(`^Port ${port} of 127\\.0\\.0\\.1 is already in use: .+\\n$`));
  });
});

describe('a machine without the tools', () => {
  const OTHERWISE = /deploy\/compose\.yaml/;

  it('is told which Java to install', async () => {
    await withProgramsOnly({}, async (environment) => {
      const missing = await findJava(environment).catch((error) => error);
      assert.ok(missing instanceof SetupError);
      assert.match(missing.message, /needs Java 17 or newer .* openjdk-17-jre-headless/);
      assert.match(missing.message, OTHERWISE);
    });
  });

  it('is told when its Java is too old', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'old-java-'));
    await writeFile(join(directory, 'java'), '#!/bin/sh\necho \'openjdk version "11.0.2"\' >&2\n', {
      mode: 0o755,
    });
    const old = await findJava({ PATH: `${directory}:/bin` }).catch((error) => error);
    await rm(directory, { recursive: true });
    assert.ok(old instanceof SetupError);
    assert.match(old.message, /is version 11\.0\.2/);
  });

  it('is told to install Maven, and nothing half done remains', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'kafka-cache-'));
    await withProgramsOnly({}, async (environment) => {
      const missing = await ensureLibraries(environment, cache).catch((error) => error);
      assert.ok(missing instanceof SetupError);
      assert.match(missing.message, /Debian: maven/);
      assert.match(missing.message, OTHERWISE);
    });
    await rm(cache, { recursive: true });
  });

  it('gets that sentence from npm run kafka, without a stack trace', async () => {
    await withProgramsOnly({ node: process.execPath }, async (environment) => {
      const failure = await run(process.execPath, [RUN_KAFKA], {
        env: { ...environment, KAFKA_PORT: String(await freePort('127.0.0.1')) },
      }).catch((error) => error);
      assert.equal(failure.code, 1);
      assert.match(failure.stderr, /^The embedded Kafka needs Java 17[^\n]+\n$/);
    });
  });
});

/** Runs `work` with an environment whose PATH holds exactly the given programs. */
async function withProgramsOnly(
  programs: Readonly<Record<string, string>>,
  work: (environment: NodeJS.ProcessEnv) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'programs-'));
  try {
    for (const [name, target] of Object.entries(programs)) await symlink(target, join(directory, name));
    await work({ PATH: directory });
  } finally {
    await rm(directory, { recursive: true });
  }
}

function withPort(port: number): NodeJS.ProcessEnv {
  return { ...process.env, KAFKA_PORT: String(port) };
}

async function runKafka(): Promise<{ child: ChildProcess; line: string; port: number }> {
  const port = await freePort('127.0.0.1');
  const child = spawn(process.execPath, [RUN_KAFKA], {
    env: withPort(port),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, line: String(line), port };
}

/** The process id of the Java child of `child`. */
async function childPidOf(child: ChildProcess): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'pid=,comm=', '--ppid', String(child.pid)]);
  const java = stdout.split('\n').find((line) => line.endsWith(' java'));
  return Number.parseInt(java ?? '', 10);
}

/** A zombie that nobody has waited for yet has ended too. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

async function until(condition: () => boolean): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 50) {
    assert.ok(waitedMs < 10_000, 'waited 10 s in vain');
    await sleep(50);
  }
}
