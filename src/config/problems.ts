/** From what the schema refused to sentences for an operator. */
import type { z } from 'zod';
import { ServiceError } from '../core/errors.ts';
import { nearest } from './nearest.ts';
import { isReference } from './secrets.ts';
import { SECTION_KEYS, SETTINGS, type Setting } from './settings.ts';
import { type Path, type Tree, valueAt } from './tree.ts';

/** Values longer than this are cut in messages. */
const MAX_SHOWN_VALUE = 80;

/** What was given, and where. */
export interface Given {
  /** Values as written, references to secrets not replaced. */
  readonly tree: Tree;
  /** "config.yaml line 3: ", "environment variable OPS_PORT: ", or "" for a default. */
  readonly originOf: (path: Path) => string;
}

/** The paths that an issue of the schema makes unusable: whole settings, or unknown keys. */
export function brokenPaths(issue: z.core.$ZodIssue): readonly Path[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...issue.path, key]);
  return [settingAt(issue.path)?.path ?? issue.path];
}

/** One sentence without a full stop for each thing that is wrong. */
export function problemsOf(issue: z.core.$ZodIssue, given: Given): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key, given));
  const setting = settingAt(issue.path);
  return [setting === undefined ? notASection(issue.path, given) : badValue(setting, issue.path, given)];
}

/** All problems as one error: a sentence for one, a list for several. */
export function invalidConfig(problems: readonly string[]): ServiceError {
  const [first = '', ...others] = [...new Set(problems)];
  const message =
    others.length === 0
      ? `The configuration is not valid: ${first}.`
      : [`The configuration has ${others.length + 1} problems:`, first, ...others].join('\n  - ');
  return new ServiceError('CONFIG_INVALID', message, { problems: others.length + 1 });
}

function settingAt(path: Path): Setting | undefined {
  return SETTINGS.find((setting) => setting.path.every((key, depth) => path[depth] === key));
}

function unknownKey(section: Path, key: string, given: Given): string {
  const path = [...section, key];
  const where = given.originOf(path);
  const closest = nearestKey(section.join('.'), key);
  const keys = SECTION_KEYS.get(section.join('.')) ?? [];
  const hint =
    closest === undefined ? `valid here: ${keys.join(', ')}` : `the nearest valid key is ${closest}`;
  return `${where}unknown key ${path.join('.')}; ${hint}`;
}

/** A key of the same section, else one of that name elsewhere, else the one whose variable has that name. */
function nearestKey(section: string, key: string): string | undefined {
  const sibling = nearest(key, SECTION_KEYS.get(section) ?? []);
  if (sibling !== undefined) return section === '' ? sibling : `${section}.${sibling}`;
  const name = nearest(
    key,
    SETTINGS.map(({ path }) => path.at(-1) ?? ''),
  );
  const elsewhere = SETTINGS.find(({ path, variable }) => path.at(-1) === name || variable.name === key);
  return elsewhere?.key;
}

function badValue(setting: Setting, path: Path, given: Given): string {
  const exact = valueAt(given.tree, path);
  const [shownPath, value] =
    exact === undefined ? [setting.path, valueAt(given.tree, setting.path)] : [path, exact];
  const subject = `${given.originOf(setting.path)}${keyText(shownPath)}`;
  if (setting.kind === 'secret' && !(typeof value === 'string' && isReference(value))) {
    return `${subject} is not accepted and not shown; expected ${setting.accepts}`;
  }
  return `${subject} is ${display(value)}; expected ${setting.accepts}${suggestion(setting, value)}`;
}

/** `kafka.brokers[1]`: positions in a list stand in brackets. */
function keyText(path: Path): string {
  return path
    .map((key, depth) => (typeof key === 'number' ? `[${key}]` : `${depth > 0 ? '.' : ''}${String(key)}`))
    .join('');
}

function suggestion(setting: Setting, value: unknown): string {
  if (setting.kind === 'text' && typeof value === 'number')
    return ', in quotes because it looks like a number';
  if (setting.kind === 'duration' && typeof value === 'number') return '; a number needs its unit';
  const closest = typeof value === 'string' ? nearest(value, setting.choices) : undefined;
  return closest === undefined ? '' : `; the nearest is ${closest}`;
}

function notASection(path: Path, given: Given): string {
  const keys = SECTION_KEYS.get(path.join('.')) ?? [];
  const value = display(valueAt(given.tree, path));
  return `${given.originOf(path)}${keyText(path)} is ${value}; expected a section with the keys ${keys.join(', ')}`;
}

function display(value: unknown): string {
  const shown = JSON.stringify(value) ?? 'missing';
  return shown.length > MAX_SHOWN_VALUE ? `${shown.slice(0, MAX_SHOWN_VALUE)}…` : shown;
}
