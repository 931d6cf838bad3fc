/**
 * The kinds of setting. Each function makes the zod schema of one setting and registers beside it what
 * messages, documentation and the environment need to know: what is accepted, in words, and its default.
 *
 * Defaults are given as they would stand in config.yaml, so the documentation shows them that way.
 */
import { z } from 'zod';
import { LEVELS, type Level } from '../core/level.ts';
import { BYTES_PATTERN, DURATION_PATTERN, parseBytes, parseDuration } from '../core/units.ts';

export type SettingKind =
  | 'text'
  | 'choice'
  | 'level'
  | 'integer'
  | 'bytes'
  | 'duration'
  | 'list'
  | 'flag'
  | 'map'
  | 'secret'
  | 'command';

export interface SettingInfo {
  readonly kind: SettingKind;
  /** What is accepted, to stand after "expected". */
  readonly accepts: string;
  /** The names to choose from, when there is a closed set; for naming the nearest one. */
  readonly choices: readonly string[];
  /** As it would be written in config.yaml. */
  readonly defaultValue: unknown;
  /** What the setting does and why its default is what it is: one sentence or two. */
  readonly description: string;
}

/** What is known of each setting beyond its type, by its schema. */
export const settingInfo = z.registry<SettingInfo>();

interface Range<T> {
  readonly default: T;
  readonly min: T;
  readonly max: T;
}

type InfoOf = Omit<SettingInfo, 'choices'> & { readonly choices?: readonly string[] };

/** Attaches the facts to a finished schema; the description also goes into the JSON Schema. */
function register<S extends z.ZodType>(schema: S, info: InfoOf): S {
  const described = schema.meta({ ...schema.meta(), description: info.description });
  settingInfo.add(described, { choices: [], ...info });
  return described;
}

/** A string that matches `pattern`; `accepts` says in words what that is. */
export function text(
  options: { default: string; pattern: RegExp; accepts: string },
  description: string,
): z.ZodPrefault<z.ZodString> {
  const { default: defaultValue, accepts, pattern } = options;
  return register(z.string().regex(pattern).prefault(defaultValue), {
    kind: 'text',
    accepts,
    defaultValue,
    description,
  });
}

/** One of a closed set of names. */
export function choice<const C extends readonly [string, ...string[]]>(
  choices: C,
  defaultValue: C[number],
  description: string,
) {
  const schema = z.enum(choices).prefault(defaultValue as z.output<z.ZodEnum<{ [K in C[number]]: K }>>);
  return register(schema, {
    kind: 'choice',
    accepts: `one of ${choices.join(', ')}`,
    choices,
    defaultValue,
    description,
  });
}

/** Names that other logging systems, Python's among them, give to our levels. */
const LEVEL_ALIASES: Readonly<Record<string, Level>> = { WARNING: 'WARN', CRITICAL: 'FATAL' };

/** A level name in any case. */
export function level(defaultValue: Level, description: string) {
  const schema = z.string().transform((value, context): Level => levelNamed(value) ?? refuse(context));
  return register(schema.prefault(defaultValue).meta({ enum: LEVELS }), {
    kind: 'level',
    accepts: `one of ${LEVELS.join(', ')}`,
    choices: LEVELS,
    defaultValue,
    description,
  });
}

/** A level name in any case, or `none`, which becomes null. */
export function levelOrNone(defaultValue: Level | null, description: string) {
  const choices = [...LEVELS, 'none'];
  const schema = z.string().transform((value, context): Level | null => {
    return value === 'none' ? null : (levelNamed(value) ?? refuse(context));
  });
  return register(schema.prefault(defaultValue ?? 'none').meta({ enum: choices }), {
    kind: 'level',
    accepts: `one of ${choices.join(', ')}`,
    choices,
    defaultValue: defaultValue ?? 'none',
    description,
  });
}

function levelNamed(name: string): Level | undefined {
  const upper = name.toUpperCase();
  return LEVELS.find((known) => known === (LEVEL_ALIASES[upper] ?? upper));
}

/** Fails a transformation; the text of the message comes from the setting's `accepts`. */
function refuse(context: z.RefinementCtx): never {
  context.addIssue({ code: 'custom', message: 'not accepted' });
  return z.NEVER;
}

/** A whole number within a range. */
export function integer(range: Range<number>, description: string) {
  return register(z.int().min(range.min).max(range.max).prefault(range.default), {
    kind: 'integer',
    accepts: `a whole number from ${range.min} to ${range.max}`,
    defaultValue: range.default,
    description,
  });
}

/** A whole number within a range, or the word `auto`. */
export function integerOrAuto(range: { min: number; max: number }, description: string) {
  const schema = z.union([z.literal('auto'), z.int().min(range.min).max(range.max)]).prefault('auto');
  return register(schema, {
    kind: 'integer',
    accepts: `auto or a whole number from ${range.min} to ${range.max}`,
    choices: ['auto'],
    defaultValue: 'auto',
    description,
  });
}

/** `true` or `false`. */
export function flag(defaultValue: boolean, description: string) {
  return register(z.boolean().prefault(defaultValue), {
    kind: 'flag',
    accepts: 'true or false',
    choices: ['true', 'false'],
    defaultValue,
    description,
  });
}

/** A size with its unit, or a whole number of bytes; becomes bytes. */
export function bytes(range: Range<string>, description: string) {
  const amount = z.union([z.string().regex(BYTES_PATTERN), z.int().nonnegative()]);
  const inRange = within(range, parseBytes);
  return register(amount.transform(inRange).prefault(range.default), {
    kind: 'bytes',
    accepts: `a size in B, KiB, MiB, GiB or TiB from ${range.min} to ${range.max}, such as ${range.default}`,
    defaultValue: range.default,
    description,
  });
}

/** A duration with its unit; becomes milliseconds. A bare number is refused: its unit would be a guess. */
export function duration(range: Range<string>, description: string) {
  const inRange = within(range, parseDuration);
  return register(z.string().regex(DURATION_PATTERN).transform(inRange).prefault(range.default), {
    kind: 'duration',
    accepts: `a duration in ms, s, m, h or d from ${range.min} to ${range.max}, such as ${range.default}`,
    defaultValue: range.default,
    description,
  });
}

function within(range: Range<string>, parse: (text: string) => number | undefined) {
  const min = parse(range.min) ?? 0;
  const max = parse(range.max) ?? 0;
  return (value: string | number, context: z.RefinementCtx): number => {
    const amount = typeof value === 'number' ? value : parse(value);
    return amount !== undefined && amount >= min && amount <= max ? amount : refuse(context);
  };
}

/** A list of strings, or one string with commas; `pattern` holds for each of them. */
export function list(
  options: { default: readonly string[]; min: number; pattern: RegExp; accepts: string },
  description: string,
) {
  const entries = z.array(z.string().regex(options.pattern)).min(options.min);
  const schema = z
    .union([z.string(), z.array(z.string())])
    .transform((value) => (typeof value === 'string' ? splitAtCommas(value) : value))
    .pipe(entries)
    .prefault([...options.default]);
  return register(schema, {
    kind: 'list',
    accepts: options.accepts,
    defaultValue: options.default,
    description,
  });
}

function splitAtCommas(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** A mapping of names to lists of values. */
export function lists(defaultValue: Readonly<Record<string, readonly string[]>>, description: string) {
  const values = z.array(z.string().min(1)).min(1);
  const copy = Object.fromEntries(Object.entries(defaultValue).map(([key, entries]) => [key, [...entries]]));
  return register(z.record(z.string().min(1), values).prefault(copy), {
    kind: 'map',
    accepts: 'a mapping of field names to non-empty lists of text, such as {type: [audit]}',
    defaultValue,
    description,
  });
}

/** Anything printable: what is accepted by a broker is the broker's business. */
const SECRET = /^[^\p{Cc}]{0,8192}$/u;

/** A secret: never shown, and never written in config.yaml itself. `""` is none. */
export function secret(description: string) {
  return register(z.string().regex(SECRET).prefault(''), {
    kind: 'secret',
    accepts: `\${env:NAME} or \${file:PATH} for one line of text, or "" for none`,
    defaultValue: '',
    description,
  });
}

/** A program and its arguments; it is run without a shell. An empty list is none. */
export function command(description: string) {
  const argument = z.string().regex(/^[^\0]{1,4096}$/);
  return register(z.array(argument).max(64).prefault([]), {
    kind: 'command',
    accepts: 'a list of a program and its arguments, such as ["/usr/bin/get-token", "--raw"], or [] for none',
    defaultValue: [],
    description,
  });
}
