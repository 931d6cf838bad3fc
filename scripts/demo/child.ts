import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { guardAgainstOrphan } from '../kafka/orphan-guard.ts';

const COMMAND = fileURLToPath(new URL('../../bin/log-consumer.mjs', import.meta.url));
const STOP_TIMEOUT_MS = 60_000;
const LOG_TAIL_LINES = 10;

/** A `log-consumer` process of the demo. */
export interface Child {
  /** Resolves with a description when the process ends for whatever reason. */
  readonly ended: Promise<string>;
  /** SIGTERM, and SIGKILL when that takes too long; returns what went wrong, if the exit code is not 0. */
  stop(): Promise<string | undefined>;
}

/** Starts `log-consumer` with `args`; what it prints goes to `logFile`. */
export function startCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  logFile: string,
): Child {
  const log = openSync(logFile, 'a');
  // In a session of its own, so that Ctrl-C reaches only the demo, which then ends its parts in order.
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: environment,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`could not start ${process.execPath}`);
  const release = guardAgainstOrphan(pid, undefined);
  const exit = once(child, 'exit').finally(release);
  const ended = exit.then(
    async ([code, signal]) =>
      `log-consumer ${args[0]} ended with ${signal ?? `exit code ${code}`}:\n${await tail(logFile)}`,
  );
  return {
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      const [code] = await exit;
      clearTimeout(late);
      return code === 0 ? undefined : ended;
    },
  };
}

/** Runs `log-consumer` with `args` in the foreground and returns its exit code. */
export async function runCommand(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, [COMMAND, ...args], { env: environment, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  return Number(code ?? 1);
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8');
  return text.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}
