/** One running broker process: started, watched until it answers, ended by its process id. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { type JavaCommand, javaArguments } from './java-command.ts';
import { guardAgainstOrphan } from './orphan-guard.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_INTERVAL_MS = 30;
const LOG_TAIL_LINES = 15;

export interface BrokerFiles {
  readonly propertiesFile: string;
  readonly logFile: string;
  readonly scratchDirectory: string;
  /** Removed with the broker when this process dies without stopping it. */
  readonly temporaryDirectory: string | undefined;
}

export interface BrokerProcess {
  readonly pid: number;
  /** How the process ended, or undefined while it runs. */
  ending(): string | undefined;
  /** Waits for the end of the process and says how it ended; keeps this process alive meanwhile. */
  ended(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts `kafka.Kafka`; returns at once, long before the broker answers. */
export function launchBroker(
  command: JavaCommand,
  files: BrokerFiles,
  extraOptions: readonly string[] = [],
): BrokerProcess {
  const scratch = `-Djava.io.tmpdir=${files.scratchDirectory}`;
  const args = javaArguments(command, 'kafka.Kafka', [files.propertiesFile], [...extraOptions, scratch]);
  const log = openSync(files.logFile, 'a');
  // In a session of its own, so that Ctrl-C in the terminal reaches only us and we end the broker in order.
  const child = spawn(command.program, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`could not start ${command.program}`);
  const release = guardAgainstOrphan(child.pid, files.temporaryDirectory);
  let ending: string | undefined;
  child.once('exit', (code, signal) => {
    ending = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
    release();
  });
  child.unref(); // a forgotten broker must not keep a test process alive; the guard ends it
  return {
    pid: child.pid,
    ending: () => ending,
    ended: async () => {
      child.ref();
      if (ending === undefined) await once(child, 'exit');
      return ending ?? 'ended';
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}

/** Resolves when the broker at `host:port` answers as a working cluster; rejects when it ended or is too slow. */
export async function waitUntilReady(
  broker: BrokerProcess,
  host: string,
  port: number,
  logFile: string,
): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await acceptsConnections(host, port)) || !(await answersAsCluster(host, port))) {
    const ending = broker.ending();
    if (ending !== undefined) throw new Error(`Kafka ${ending} before it was ready:\n${await tail(logFile)}`);
    if (Date.now() > deadline) {
      throw new Error(`Kafka was not ready after ${START_TIMEOUT_MS / 1000} s:\n${await tail(logFile)}`);
    }
    await sleep(POLL_INTERVAL_MS);
  }
}

/** Ends the broker with `signal`, and with SIGKILL when that takes too long. */
export async function endBroker(broker: BrokerProcess, signal: NodeJS.Signals): Promise<void> {
  if (broker.ending() !== undefined) return;
  broker.kill('SIGCONT'); // a test may have stopped it
  broker.kill(signal);
  const late = setTimeout(() => broker.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await broker.ended();
  clearTimeout(late);
}

async function acceptsConnections(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function answersAsCluster(host: string, port: number): Promise<boolean> {
  const kafka = new Kafka({
    brokers: [`${host}:${port}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    return cluster.brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
