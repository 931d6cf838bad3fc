/**
 * A real Apache Kafka of one KRaft node on the loopback interface, for tests, demo and benchmarks.
 *
 * Owner of everything in its directory: `server.properties`, `data/`, `broker.log` (warnings and
 * errors of the broker) and `tmp/`. Without a directory of the caller's it makes a temporary one and
 * removes it. The broker never outlives the process that started it (orphan-guard.ts).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BrokerProcess, endBroker, launchBroker, waitUntilReady } from './broker-process.ts';
import { ensureClassArchive } from './class-archive.ts';
import { type JavaCommand, javaArguments, prepareJavaCommand } from './java-command.ts';
import { SetupError } from './java-tools.ts';
import { freePort, isFree, twoFreePorts } from './ports.ts';
import { type ExtraListener, type SecurityProtocol, serverProperties } from './properties.ts';

const run = promisify(execFile);

const HOST = '127.0.0.1';
/** Between choosing a free port and the broker's bind somebody else may take it. */
const PORT_ATTEMPTS = 3;

export interface KafkaOptions {
  /** The port to listen on; a free one when left out. */
  readonly port?: number;
  /** The port of the node as controller; a free one when left out. */
  readonly controllerPort?: number;
  /** The cluster that the node belongs to; a new one when left out. */
  readonly clusterId?: string;
  /** Where everything is kept, also after `stop()`; a temporary directory when left out. */
  readonly directory?: string;
  /** Entries of `server.properties` that are added or override ours. */
  readonly extraProperties?: Readonly<Record<string, string>>;
  /** Further listeners by name, each on a free port. */
  readonly extraListeners?: Readonly<Record<string, SecurityProtocol>>;
  /** Users of SCRAM, as `kafka-storage format --add-scram` wants them. */
  readonly scramUsers?: readonly string[];
}

export interface EmbeddedKafka {
  /** `host:port`, as clients want it. */
  readonly bootstrap: string;
  /** `host:port` of each of the further listeners, by name. */
  readonly extraBootstraps: Readonly<Record<string, string>>;
  readonly directory: string;
  /** Of the current broker process; another one after `restart()`. */
  readonly pid: number;
  /** Sends a signal to the broker process, for failure tests. */
  kill(signal: NodeJS.Signals): void;
  /** Starts the broker again on the same port and data, after ending it when it still runs. */
  restart(): Promise<void>;
  /** Waits until the broker process ends for whatever reason, and says how it ended. */
  ended(): Promise<string>;
  /** Ends the broker and removes the directory if it is ours. */
  stop(): Promise<void>;
}

/**
 * Starts a broker and returns when it answers. The first start in a checkout fetches the libraries
 * with Maven. Throws SetupError when Java or Maven is missing or the wanted port is taken.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<EmbeddedKafka> {
  const command = await prepareJavaCommand(process.env);
  await ensureClassArchive(command, startPrepared);
  return startPrepared(command, options, []);
}

/** As `startKafka`, with a prepared command and more options of the Java machine. */
export async function startPrepared(
  command: JavaCommand,
  options: KafkaOptions,
  javaOptions: readonly string[] = [],
): Promise<EmbeddedKafka> {
  if (options.port !== undefined && !(await isFree(HOST, options.port))) {
    throw new SetupError(
      `Port ${options.port} of ${HOST} is already in use: end the program that uses it or choose another port with KAFKA_PORT.`,
    );
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(command, options, javaOptions);
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('Address already in use');
      if (!portTaken || options.port !== undefined || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(
  command: JavaCommand,
  options: KafkaOptions,
  javaOptions: readonly string[],
): Promise<EmbeddedKafka> {
  const free = await twoFreePorts(HOST);
  const { port = free[0], controllerPort = free[1], clusterId = newClusterId() } = options;
  const ownDirectory = options.directory === undefined;
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'embedded-kafka-')));
  const extraListeners = await extraListenersOf(options);
  const dataDirectory = join(directory, 'data');
  const layout = { host: HOST, port, controllerPort, dataDirectory, extraListeners };
  const files = {
    propertiesFile: join(directory, 'server.properties'),
    logFile: join(directory, 'broker.log'),
    scratchDirectory: join(directory, 'tmp'),
    temporaryDirectory: ownDirectory ? directory : undefined,
  };

  async function launch(): Promise<BrokerProcess> {
    const broker = launchBroker(command, files, javaOptions);
    try {
      await waitUntilReady(broker, HOST, port, files.logFile);
      return broker;
    } catch (error) {
      await endBroker(broker, 'SIGKILL');
      throw error;
    }
  }

  async function clean(): Promise<void> {
    if (ownDirectory) await rm(directory, { recursive: true, force: true });
  }

  try {
    await mkdir(files.scratchDirectory, { recursive: true });
    await writeFile(files.propertiesFile, serverProperties(layout, options.extraProperties ?? {}));
    await formatStorage(command, files.propertiesFile, dataDirectory, {
      clusterId,
      scramUsers: options.scramUsers ?? [],
    });
    return control(await launch());
  } catch (error) {
    await clean();
    throw error;
  }

  function control(first: BrokerProcess): EmbeddedKafka {
    let broker = first;
    // Data that is removed anyway needs no orderly end; a class archive is written at an orderly end.
    const stopSignal = ownDirectory && javaOptions.length === 0 ? 'SIGKILL' : 'SIGTERM';
    return {
      bootstrap: `${HOST}:${port}`,
      extraBootstraps: Object.fromEntries(
        extraListeners.map((extra) => [extra.name, `${HOST}:${extra.port}`]),
      ),
      directory,
      get pid() {
        return broker.pid;
      },
      kill: (signal) => broker.kill(signal),
      ended: () => broker.ended(),
      restart: async () => {
        await endBroker(broker, 'SIGTERM');
        broker = await launch();
      },
      stop: async () => {
        await endBroker(broker, stopSignal);
        await clean();
      },
    };
  }
}

/** A random id of 16 bytes, as Kafka's own tools make it. */
export function newClusterId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
}

async function extraListenersOf(options: KafkaOptions): Promise<ExtraListener[]> {
  const listeners = Object.entries(options.extraListeners ?? {});
  return Promise.all(
    listeners.map(async ([name, protocol]) => ({ name, protocol, port: await freePort(HOST) })),
  );
}

/** Prepares an empty data directory; leaves one that was formatted before alone. */
async function formatStorage(
  command: JavaCommand,
  propertiesFile: string,
  dataDirectory: string,
  { clusterId, scramUsers }: { readonly clusterId: string; readonly scramUsers: readonly string[] },
): Promise<void> {
  if (existsSync(join(dataDirectory, 'meta.properties'))) return;
  // With an equals sign, since an id may begin with a dash.
  const users = scramUsers.map((user) => `--add-scram=${user}`);
  const args = ['format', `--cluster-id=${clusterId}`, `--config=${propertiesFile}`, ...users];
  try {
    await run(command.program, javaArguments(command, 'kafka.tools.StorageTool', args));
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? error.stderr : error;
    throw new Error(`Kafka could not format ${dataDirectory}: ${output}`);
  }
}
