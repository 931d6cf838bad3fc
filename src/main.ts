/** The command line: finds the command, runs it, turns what it throws into one sentence and an exit code. */
import { checkCommand } from './commands/check.ts';
import { type Command, type CommandStreams, helpOf, parseArguments } from './commands/command.ts';
import { explainCommand } from './commands/explain.ts';
import { generateCommand } from './commands/generate.ts';
import { runCommand } from './commands/run.ts';
import { verifyCommand } from './commands/verify.ts';
import { VERSION } from './commands/version.ts';
import { nearest } from './config/nearest.ts';
import { EXIT, ServiceError } from './core/errors.ts';

const COMMANDS: readonly Command[] = [
  runCommand,
  checkCommand,
  generateCommand,
  explainCommand,
  verifyCommand,
];

const DEFAULT_COMMAND = runCommand;

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
    streams.output.write(overview());
    return EXIT.ok;
  }
  const named = first !== undefined && !first.startsWith('-');
  try {
    const command = named ? find(first) : DEFAULT_COMMAND;
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

function find(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const closest = nearest(
    name,
    COMMANDS.map((candidate) => candidate.name),
  );
  const hint = closest === undefined ? 'see "log-consumer --help"' : `did you mean "${closest}"?`;
  throw new ServiceError('USAGE', `There is no command "${name}"; ${hint}`);
}

function overview(): string {
  return [
    'Usage: log-consumer [command] [options]',
    '',
    'Consumes JSON logs from Kafka, exactly once, into plain JSONL files.',
    '',
    'Commands:',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`),
    '',
    '"log-consumer <command> --help" says more. Without a command, "run" is meant.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 78 invalid configuration.',
    '',
  ].join('\n');
}
