/** The command line: finds the command, runs it, turns what it throws into one sentence and an exit code. */
import { type Command, type CommandStreams, helpOf, parseArguments } from './commands/command.ts';
import { VERSION } from './commands/version.ts';
import { nearest } from './config/nearest.ts';
import { EXIT, ServiceError } from './core/errors.ts';

/** A command is loaded when it is needed: the service starts without the generator's code, and so on. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['run', async () => (await import('./commands/run.ts')).runCommand],
  ['check', async () => (await import('./commands/check.ts')).checkCommand],
  ['generate', async () => (await import('./commands/generate.ts')).generateCommand],
  ['explain', async () => (await import('./commands/explain.ts')).explainCommand],
  ['quarantine', async () => (await import('./commands/quarantine.ts')).quarantineCommand],
  ['replay', async () => (await import('./commands/replay.ts')).replayCommand],
  ['backup', async () => (await import('./commands/backup.ts')).backupCommand],
  ['restore', async () => (await import('./commands/restore.ts')).restoreCommand],
  ['verify', async () => (await import('./commands/verify.ts')).verifyCommand],
]);

const DEFAULT_COMMAND = 'run';

/**
 * @param argv arguments without the program's name
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 78 invalid configuration
 */
export async function main(
  argv: readonly string[],
  streams: CommandStreams = { input: process.stdin, output: process.stdout, errors: process.stderr },
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const [first, ...rest] = argv;
  if (first === '--version' || first === 'version') {
    streams.output.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    streams.output.write(await overview());
    return EXIT.ok;
  }
  const named = first !== undefined && !first.startsWith('-');
  try {
    const command = await load(named ? first : DEFAULT_COMMAND);
    const { values, positionals } = parseArguments(command, named ? rest : argv);
    if (values['help'] === true) {
      streams.output.write(helpOf(command));
      return EXIT.ok;
    }
    return await command.run({ values, positionals, env, streams });
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    streams.errors.write(`log-consumer: ${error.message}\n`);
    return error.exitCode;
  }
}

function load(name: string): Promise<Command> {
  const loader = COMMANDS.get(name);
  if (loader !== undefined) return loader();
  const closest = nearest(name, COMMANDS.keys());
  const hint = closest === undefined ? 'see "log-consumer --help"' : `did you mean "${closest}"?`;
  throw new ServiceError('USAGE', `There is no command "${name}"; ${hint}`);
}

async function overview(): Promise<string> {
  const commands = await Promise.all([...COMMANDS.values()].map((loader) => loader()));
  return [
    'Usage: log-consumer [command] [options]',
    '',
    'Consumes JSON logs from Kafka, exactly once, into plain JSONL files.',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`),
    '',
    '"log-consumer <command> --help" says more. Without a command, "run" is meant.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 78 invalid configuration.',
    '',
  ].join('\n');
}
