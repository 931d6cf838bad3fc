/** How the broker's Java programs are started: class path, memory, logging, class archive. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findJava } from './java-tools.ts';
import { classPathOf, ensureLibraries } from './libraries.ts';

export interface JavaCommand {
  readonly program: string;
  readonly options: readonly string[];
  /** The class archive that makes later starts faster; it may not exist yet (class-archive.ts). */
  readonly archive: string;
}

const DEFAULT_HEAP = '768m';

/** Finds Java, fetches the libraries when needed, and returns how to run a class of theirs. */
export async function prepareJavaCommand(environment: NodeJS.ProcessEnv): Promise<JavaCommand> {
  const java = await findJava(environment);
  const libraries = await ensureLibraries(environment);
  const options = [
    `-Xmx${environment['KAFKA_HEAP'] ?? DEFAULT_HEAP}`,
    // One small broker on a shared machine: fewer threads and less memory than the default collector.
    '-XX:+UseSerialGC',
    '-XX:-UsePerfData',
    '-Djava.awt.headless=true',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
    '-cp',
    await classPathOf(libraries),
  ];
  return { program: java.program, options, archive: join(dirname(libraries), `classes-${java.version}.jsa`) };
}

/** The arguments that run `mainClass`, with the class archive where there is one. */
export function javaArguments(
  command: JavaCommand,
  mainClass: string,
  args: readonly string[],
  extraOptions: readonly string[] = [],
): string[] {
  const shared = existsSync(command.archive) ? [`-XX:SharedArchiveFile=${command.archive}`] : [];
  return [...shared, ...extraOptions, ...command.options, mainClass, ...args];
}
