/** Starts the service for a measurement and watches what it has made durable. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import kafkajs, { type Admin } from 'kafkajs';
import { freePort } from '../../scripts/kafka/ports.ts';
import { type MeasuredChild, startMeasured } from './measured-child.ts';

export const COMMAND = fileURLToPath(new URL('../../bin/log-consumer.mjs', import.meta.url));
const LOOPBACK = '127.0.0.1';

export interface ServiceOptions {
  readonly broker: string;
  readonly topic: string;
  readonly group: string;
  /** Log files, the service's own log and the profiles go here. */
  readonly directory: string;
  readonly profile: boolean;
  /** Settings beyond the defaults, as environment variables. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface RunningService {
  readonly child: MeasuredChild;
  readonly outputDirectory: string;
  readonly metricsUrl: string;
}

/** Starts `log-consumer run` with default settings, apart from where to read and write. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const outputDirectory = join(options.directory, 'logs');
  const opsPort = await freePort(LOOPBACK);
  const apiPort = await freePort(LOOPBACK);
  const child = await startMeasured({
    command: process.execPath,
    args: [...profileArguments(options), COMMAND, 'run'],
    env: {
      ...inheritedEnvironment(),
      KAFKA_BROKERS: options.broker,
      LOG_TOPIC: options.topic,
      LOG_GROUP_ID: options.group,
      LOG_OUTPUT_DIR: outputDirectory,
      LOG_LEVEL: 'TRACE',
      OPS_PORT: String(opsPort),
      API_PORT: String(apiPort),
      ...options.settings,
    },
    // Not the checkout, so that a config.yaml that somebody changed does not count.
    cwd: options.directory,
    logFile: join(options.directory, 'service.log'),
  });
  return { child, outputDirectory, metricsUrl: `http://${LOOPBACK}:${opsPort}/metrics` };
}

/** Node passes these options on to its worker threads, so every thread writes a profile of its own. */
function profileArguments({ profile, directory }: ServiceOptions): string[] {
  return profile ? ['--cpu-prof', `--cpu-prof-dir=${join(directory, 'profiles')}`] : [];
}

/** Only what a process needs; settings of the caller's shell would change what is measured. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TZ: 'UTC' };
}

/** Offsets covered by the checkpoint, summed over the partitions; 0 while there is none. */
export async function checkpointedRecords(outputDirectory: string): Promise<number> {
  const text = await readFile(join(outputDirectory, 'state', 'checkpoint.json'), 'utf8').catch(
    (thrown: unknown) => {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return '{"partitions":{}}';
      throw thrown;
    },
  );
  const { partitions } = JSON.parse(text) as { partitions: Record<string, { next_offset: number }> };
  return Object.values(partitions).reduce((sum, { next_offset }) => sum + next_offset, 0);
}

/** Runs `work` with a connected admin client. */
export async function withAdmin<T>(broker: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Committed offsets of the group, summed over the partitions. */
export async function committedRecords(admin: Admin, group: string, topic: string): Promise<number> {
  const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  return (committed?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}
