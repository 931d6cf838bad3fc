import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The oldest Java that a Kafka 4 broker runs on. */
const OLDEST_JAVA = 17;

/** The machine lacks something that only its owner can install. The message is one sentence that says what. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

export interface Java {
  /** Path or name of the `java` program. */
  readonly program: string;
  /** As the program prints it, for example `17.0.15`. */
  readonly version: string;
}

const OTHERWISE =
  'or start Kafka with "docker compose -f deploy/compose.yaml up kafka" and set KAFKA_BROKERS=127.0.0.1:9092';

/** Finds Java through `JAVA_HOME` or `PATH`; throws SetupError when it is missing or older than 17. */
export async function findJava(environment: NodeJS.ProcessEnv): Promise<Java> {
  const home = environment['JAVA_HOME'];
  const program = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java');
  const output = await outputOf(program, ['-version'], environment);
  if (output === undefined) {
    throw new SetupError(
      `The embedded Kafka needs Java ${OLDEST_JAVA} or newer and "${program}" was not found: install it (Debian: openjdk-17-jre-headless), ${OTHERWISE}.`,
    );
  }
  const version = /version "([^"]+)"/.exec(output)?.[1] ?? 'unknown';
  if (!(Number.parseInt(version, 10) >= OLDEST_JAVA)) {
    throw new SetupError(
      `The embedded Kafka needs Java ${OLDEST_JAVA} or newer and "${program}" is version ${version}: install a newer one (Debian: openjdk-17-jre-headless), ${OTHERWISE}.`,
    );
  }
  return { program, version };
}

/** Checks that Maven is there to fetch the broker's libraries; throws SetupError when it is not. */
export async function requireMaven(environment: NodeJS.ProcessEnv): Promise<string> {
  const program = 'mvn';
  if ((await outputOf(program, ['--version'], environment)) === undefined) {
    throw new SetupError(
      `The embedded Kafka fetches its libraries with Maven and "${program}" was not found: install it (Debian: maven), ${OTHERWISE}.`,
    );
  }
  return program;
}

/** Everything the program prints, or undefined when it is missing or fails. */
async function outputOf(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(program, args, { env: environment });
    return stdout + stderr;
  } catch {
    return undefined;
  }
}
