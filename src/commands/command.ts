/** What every command of the command line is made of. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { messageOf, ServiceError } from '../core/errors.ts';

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** Shown after the name in the help, such as `FILE`. */
  readonly argument?: string;
  readonly help: string;
}

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** Where a command reads and writes; the process's own streams outside tests. */
export interface CommandStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export interface CommandContext {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly streams: CommandStreams;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Further lines of the help: examples, exit codes that mean something special. */
  readonly details: readonly string[];
  readonly positional?: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** @returns the exit code */
  run(context: CommandContext): Promise<number>;
}

export const CONFIG_OPTION: CommandOption = {
  type: 'string',
  short: 'c',
  argument: 'FILE',
  help: 'configuration file (default: CONFIG_FILE, then ./config.yaml)',
};

export const JSON_OPTION: CommandOption = { type: 'boolean', help: 'print JSON' };

const HELP_OPTION: CommandOption = { type: 'boolean', short: 'h', help: 'show this help' };

/**
 * Parses a command's arguments.
 * @throws ServiceError USAGE for an option it does not have or a value that is missing
 */
export function parseArguments(
  command: Command,
  argv: readonly string[],
): { readonly values: OptionValues; readonly positionals: readonly string[] } {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, { type, short }] of Object.entries({ ...command.options, help: HELP_OPTION })) {
    options[name] = short === undefined ? { type } : { type, short };
  }
  try {
    const allowPositionals = command.positional !== undefined;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals, strict: true });
    return { values: values as OptionValues, positionals };
  } catch (error) {
    throw new ServiceError(
      'USAGE',
      `${messageOf(error).replace(/\.?$/, '')}; see "log-consumer ${command.name} --help".`,
    );
  }
}

export function helpOf(command: Command): string {
  const positional = command.positional === undefined ? '' : ` [${command.positional}]`;
  const rows = Object.entries({ ...command.options, help: HELP_OPTION }).map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    const argument = option.argument === undefined ? '' : ` ${option.argument}`;
    return `  ${`${short}--${name}${argument}`.padEnd(34)} ${option.help}`;
  });
  return [
    `Usage: log-consumer ${command.name} [options]${positional}`,
    '',
    command.summary,
    ...(command.details.length === 0 ? [] : ['', ...command.details]),
    '',
    'Options:',
    ...rows,
    '',
  ].join('\n');
}

/** A string option, or undefined when it was not given. */
export function textOption(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * A numeric option.
 * @throws ServiceError USAGE when the value is not a number in the range
 */
export function numberOption(
  values: OptionValues,
  name: string,
  range: { readonly min: number; readonly max: number; readonly integer: boolean },
): number | undefined {
  const text = textOption(values, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  const fits = text.trim() !== '' && value >= range.min && value <= range.max;
  if (fits && (!range.integer || Number.isInteger(value))) return value;
  const kind = range.integer ? 'a whole number' : 'a number';
  throw new ServiceError(
    'USAGE',
    `--${name} is "${text}", but takes ${kind} from ${range.min} to ${range.max}.`,
  );
}

/** Waits until a stream took the text, so that a slow reader slows us down. */
export async function write(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (stream.write(text)) return;
  await new Promise<void>((resolve) => stream.once('drain', () => resolve()));
}
