/**
 * The broker's jar files, fetched once per checkout into `.kafka/<hash of pom.xml>/`.
 *
 * A set is put together in a temporary directory and renamed into place, so a set that exists is
 * complete, an interrupted fetch leaves nothing that counts, and of two concurrent fetches one wins.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { requireMaven, SetupError } from './java-tools.ts';

const run = promisify(execFile);

const POM = fileURLToPath(new URL('./pom.xml', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.kafka', import.meta.url));

/** Where the jars of the current pom.xml are; fetches them with Maven when they are not there yet. */
export async function ensureLibraries(
  environment: NodeJS.ProcessEnv,
  cacheDirectory: string = CACHE,
): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 12);
  const libraries = join(cacheDirectory, hash, 'libs');
  if (!existsSync(libraries)) await fetchLibraries(libraries, environment);
  return libraries;
}

/** A Java class path of the jars in `libraries`, in a fixed order: a class archive is bound to the order. */
export async function classPathOf(libraries: string): Promise<string> {
  const names = await readdir(libraries);
  return names
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(libraries, name))
    .join(':');
}

async function fetchLibraries(libraries: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const maven = await requireMaven(environment);
  await mkdir(dirname(libraries), { recursive: true });
  const fetched = await mkdtemp(join(dirname(libraries), 'fetching-'));
  try {
    await copyDependencies(maven, fetched, environment);
    await renameUnlessPresent(fetched, libraries);
  } finally {
    await rm(fetched, { recursive: true, force: true });
  }
}

async function copyDependencies(
  maven: string,
  target: string,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  const args = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', '-DincludeScope=runtime'];
  try {
    await run(maven, [...args, `-DoutputDirectory=${target}`], { env: environment });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    const reason = output.split('\n').find((line) => line.includes('ERROR')) ?? output.trim();
    throw new SetupError(`Maven could not fetch the libraries of the embedded Kafka: ${reason}`);
  }
}

async function renameUnlessPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error; // otherwise a concurrent fetch was first, and its set is the same
  }
}
