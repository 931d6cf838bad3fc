/**
 * `npm run demo`: a Kafka, a generator of realistic logs and the service, until Ctrl-C. With
 * DEMO_SECONDS it ends by itself, and fails unless every file grew and `verify` finds no fault.
 */
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import { type EmbeddedKafka, startKafka } from '../kafka/embedded-kafka.ts';
import { SetupError } from '../kafka/java-tools.ts';
import { freePort } from '../kafka/ports.ts';
import { type Child, runCommand, startCommand } from './child.ts';
import { DEMO_FILES, describeStatus, readStatus, type Status } from './status.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STATUS_INTERVAL_MS = 2000;
const DRAIN_TIMEOUT_MS = 30_000;
const PARTITIONS = 8;
const RATE = 500;
const MALFORMED_SHARE = 0.01;

interface Demo {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly opsPort: number;
  readonly generator: Child;
  readonly service: Child;
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  const seconds = Number(process.env['DEMO_SECONDS'] ?? Number.POSITIVE_INFINITY);
  const given = process.env['KAFKA_BROKERS'];
  if (given) return withBrokers(given, 'log-consumer-demo', seconds);
  say('Starting Kafka (the first time, Maven fetches it) ...');
  const kafka: EmbeddedKafka = await startKafka();
  try {
    return await withBrokers(kafka.bootstrap, 'logs', seconds);
  } finally {
    await kafka.stop();
    say('Kafka is stopped.');
  }
}

async function withBrokers(brokers: string, topic: string, seconds: number): Promise<number> {
  await createTopic(brokers, topic);
  const demo = await start(brokers, topic);
  explain(demo, brokers, topic, seconds);
  let failure = await watch(demo, seconds * 1000);
  failure ??= await demo.generator.stop();
  const last = failure === undefined ? await drained(demo) : undefined;
  failure ??= await demo.service.stop();
  await Promise.all([demo.generator.stop(), demo.service.stop()]);
  say('The service and the generator are stopped.');
  if (failure !== undefined) {
    process.stderr.write(`${failure}\n`);
    return 1;
  }
  howToExplore(demo.directory);
  return Number.isFinite(seconds) ? judge(demo, last) : 0;
}

async function start(brokers: string, topic: string): Promise<Demo> {
  const stamp = new Date().toISOString().slice(0, 19).replace(/\D/g, '');
  const directory = join(ROOT, 'logs', `demo-${stamp}`);
  await mkdir(directory, { recursive: true });
  const opsPort = await freePort('127.0.0.1');
  const environment = {
    ...process.env,
    KAFKA_BROKERS: brokers,
    LOG_TOPIC: topic,
    LOG_GROUP_ID: `log-consumer-demo-${stamp}`,
    LOG_OUTPUT_DIR: directory,
    OPS_PORT: String(opsPort),
  };
  const service = startCommand(['run'], environment, `${directory}.service.log`);
  const generate = ['generate', '--brokers', brokers, '--topic', topic, '--rate', String(RATE)];
  const generator = startCommand(
    [...generate, '--malformed', String(MALFORMED_SHARE)],
    environment,
    `${directory}.generator.log`,
  );
  return { directory, environment, opsPort, generator, service };
}

/** Prints a status line every two seconds until the time is over; returns why it ended early, if it did. */
async function watch(demo: Demo, durationMs: number): Promise<string | undefined> {
  const end = Date.now() + durationMs;
  const ended = Promise.race([demo.service.ended, demo.generator.ended]);
  while (Date.now() < end && !interrupted.signal.aborted) {
    const failure = await Promise.race([ended, pause(Math.min(STATUS_INTERVAL_MS, end - Date.now()))]);
    if (failure !== undefined) return failure;
    const status = await readStatus(demo.opsPort, demo.directory);
    say(status === undefined ? 'The service is starting ...' : describeStatus(status));
  }
  return undefined;
}

/** Waits until the service has read all that was generated; returns the last status. */
async function drained(demo: Demo): Promise<Status | undefined> {
  const end = Date.now() + DRAIN_TIMEOUT_MS;
  for (;;) {
    const status = await readStatus(demo.opsPort, demo.directory);
    if (status?.lag === 0 || interrupted.signal.aborted || Date.now() > end) return status;
    await sleep(200);
  }
}

/** The exit code of a demo that had its time: 0 when all files grew and `verify` is content. */
async function judge(demo: Demo, status: Status | undefined): Promise<number> {
  const empty = DEMO_FILES.filter((name) => (status?.fileBytes[name] ?? 0) === 0);
  if (empty.length > 0) say(`Nothing was written to ${empty.join(', ')}.`);
  const verified = await runCommand(['verify', demo.directory], demo.environment);
  return empty.length > 0 ? 1 : verified;
}

async function createTopic(brokers: string, topic: string): Promise<void> {
  const kafka = new Kafka({ clientId: 'demo', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] }); // false when it exists
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SetupError(`The demo could not create the topic "${topic}" on ${brokers}: ${reason}`);
  } finally {
    await admin.disconnect();
  }
}

function explain(demo: Demo, brokers: string, topic: string, seconds: number): void {
  const place = relative(process.cwd(), demo.directory);
  say(`Kafka:     ${brokers}, topic "${topic}" with ${PARTITIONS} partitions`);
  say(`Generator: ${RATE} records/s of several logger dialects, ${MALFORMED_SHARE * 100} % malformed`);
  say(`Service:   metrics on http://127.0.0.1:${demo.opsPort}/metrics, its own log in ${place}.service.log`);
  say(`Files:     ${place}/, to watch: tail -f ${place}/service_logs.jsonl`);
  say(Number.isFinite(seconds) ? `Ends after ${seconds} s.` : 'Ctrl-C ends it.');
}

function howToExplore(directory: string): void {
  const place = relative(process.cwd(), directory);
  say(`
The files stay in ${place}/. Look at them with
  jq -r '[.timestamp, .service, .message] | @tsv' ${place}/error_logs.jsonl
  jq -r .reason ${place}/quarantine.jsonl | sort | uniq -c
  npx log-consumer verify ${place}
`);
}

/** Resolves after the time or when the demo is interrupted. */
async function pause(ms: number): Promise<undefined> {
  await sleep(ms, undefined, { signal: interrupted.signal }).catch(() => undefined);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
