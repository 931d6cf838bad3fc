/** The service as its users run it: a child process, watched through its log and its ops port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const PROJECT_DIRECTORY = fileURLToPath(new URL('../../', import.meta.url));

export interface ServiceOptions {
  readonly bootstrap: string;
  readonly topic: string;
  readonly groupId: string;
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Root of the build to run; the checkout by default. */
  readonly build?: string;
  /** A command and its arguments that end with running what follows them, such as `env A=1`. */
  readonly wrapper?: readonly string[];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Whoever it started may hold its standard error open for longer. */
const LAST_WORDS_MS = 2000;

export class ServiceProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  log = '';
  #port = Promise.withResolvers<number>();

  constructor(options: ServiceOptions) {
    const build = options.build ?? PROJECT_DIRECTORY;
    const [command = '', ...args] = [
      ...(options.wrapper ?? []),
      process.execPath,
      'bin/log-consumer.mjs',
      'run',
    ];
    this.child = spawn(command, args, {
      cwd: build,
      env: environmentOf(options),
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    this.#port.promise.catch(() => undefined);
    const closed = once(this.child, 'close');
    this.exited = once(this.child, 'exit').then(async ([code, signal]) => {
      // Its last words may still be on their way.
      await Promise.race([closed, sleep(LAST_WORDS_MS, undefined, { ref: false })]);
      this.#port.reject(new Error(`the service exited:\n${this.log}`));
      return { code, signal } as Exit;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
      const match = /"port":(\d+),"message":"serving metrics/.exec(this.log);
      if (match?.[1] !== undefined) this.#port.resolve(Number(match[1]));
    });
  }

  /** The ops port. */
  port(): Promise<number> {
    return this.#port.promise;
  }

  /** An answer of the ops port. */
  async get(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const port = await this.#port.promise;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5000) });
    return { status: response.status, body: await response.text() };
  }

  /** The value of a metric, summed over its series, or 0. */
  async metric(name: string): Promise<number> {
    const { body } = await this.get('/metrics');
    const lines = body
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** SIGTERM, then waits for the end; SIGKILL after a minute. */
  async stop(): Promise<Exit> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.exited;
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 60_000);
    this.child.kill('SIGTERM');
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }
}

/** Only what the test says configures the service, not what the machine happens to have set. */
function environmentOf(options: ServiceOptions): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    KAFKA_BROKERS: options.bootstrap,
    LOG_TOPIC: options.topic,
    LOG_GROUP_ID: options.groupId,
    LOG_OUTPUT_DIR: options.directory,
    LOG_LEVEL: 'TRACE',
    OPS_PORT: '0',
    LOG_CONSUMER_KAFKA_SESSION_TIMEOUT: '6s',
    LOG_CONSUMER_KAFKA_HEARTBEAT_INTERVAL: '1s',
    ...options.env,
  };
}

/** Asks again until `check` holds. */
export async function waitFor(
  what: string,
  check: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
