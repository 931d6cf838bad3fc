/**
 * Every known field name in one place to ask. A name can have two roles (`exception.message` is a text
 * and the sign of an exception), so an answer is a list.
 */
import { CONTAINER, containerKinds } from './containers.ts';
import { EXCEPTION_NAMES } from './exception-names.ts';
import { CONTAINED_RANK, type FieldName, type FieldRule, normaliseName, ROLE } from './field-rule.ts';
import { CORRELATION_NAMES, REQUEST_NAMES } from './id-names.ts';
import { LEVEL_NAMES } from './level-names.ts';
import { LATE_MESSAGE_NAMES, MESSAGE_NAMES } from './message-names.ts';
import { SERVICE_NAMES } from './service-names.ts';
import { TIMESTAMP_NAMES } from './timestamp-names.ts';

export type FieldRules = readonly FieldRule[];

const NO_RULES: FieldRules = [];

const names = new Map<string, FieldRule[]>();
const paths = new Map<string, FieldRule[]>();
const pathPrefixes = new Set<string>();

function append(map: Map<string, FieldRule[]>, key: string, rule: FieldRule): void {
  const rules = map.get(key) ?? [];
  if (!rules.some((known) => known.role === rule.role)) rules.push(rule);
  map.set(key, rules);
}

function register(role: number, list: readonly FieldName[], firstRank = 0): void {
  for (const [index, entry] of list.entries()) {
    const [name, variant] = typeof entry === 'string' ? [entry, 0] : entry;
    const rule = { role, rank: firstRank + index, variant };
    append(names, normaliseName(name), rule);
    const parts = name.split('.');
    if (parts.length > 1) append(paths, normaliseName(name), rule);
    for (let i = 1; i < parts.length; i++) pathPrefixes.add(normaliseName(parts.slice(0, i).join('')));
  }
}

register(ROLE.timestamp, TIMESTAMP_NAMES);
register(ROLE.service, SERVICE_NAMES);
register(ROLE.level, LEVEL_NAMES);
register(ROLE.message, MESSAGE_NAMES);
register(ROLE.message, LATE_MESSAGE_NAMES, CONTAINED_RANK * 2);
register(ROLE.correlation, CORRELATION_NAMES);
register(ROLE.request, REQUEST_NAMES);
register(ROLE.exception, EXCEPTION_NAMES);
register(ROLE.errorClass, ['error_class']);
register(ROLE.extra, ['extra']);

const containers = containerKinds(normaliseName);

/** Rules for a member of the record, or of a container, by normalised name. */
export function rulesOfName(name: string): FieldRules {
  return names.get(name) ?? NO_RULES;
}

/** Rules for a nested value by the normalised names on its path, joined. */
export function rulesOfPath(path: string): FieldRules {
  return paths.get(path) ?? NO_RULES;
}

/** What an object under this normalised name is to us: one of CONTAINER. */
export function containerOf(name: string): number {
  return containers.get(name) ?? (pathPrefixes.has(name) ? CONTAINER.path : CONTAINER.none);
}

/** Whether the joined path leads on to a known nested name. */
export function isPathPrefix(path: string): boolean {
  return pathPrefixes.has(path);
}
