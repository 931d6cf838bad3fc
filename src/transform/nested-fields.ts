/**
 * Looks for canonical fields below the record's own members: on paths such as `http.request.id`, in
 * containers such as `mdc` or `fields`, in lists of spans, and in OpenTelemetry's lists of
 * `{"key":..., "value":{"stringValue":...}}`.
 *
 * Only text that the scanner accepted comes here. The depth is bounded, so every byte is passed over at
 * most MAX_DEPTH times.
 */
import type { Candidates } from './candidates.ts';
import { CONTAINER } from './fields/containers.ts';
import {
  containerOf,
  type FieldRules,
  isPathPrefix,
  rulesOfName,
  rulesOfPath,
} from './fields/field-dictionary.ts';
import { CONTAINED_RANK, NESTED_RANK, normaliseName, ROLE } from './fields/field-rule.ts';
import { SERVICE_FORM } from './fields/service-names.ts';
import { decodeString, KIND } from './json-bytes.ts';
import { JsonCursor } from './json-cursor.ts';
import type { KeyTable } from './key-table.ts';

const MAX_DEPTH = 8;
/** Spans, attributes and exception causes beyond this many are not looked at. */
const MAX_ELEMENTS = 256;

const CONTEXT_ROLES = new Set<number>([ROLE.service, ROLE.correlation, ROLE.request, ROLE.exception]);

/** What wraps a value in the attribute lists of OpenTelemetry, in JSON and as Go prints it. */
const WRAPPERS = new Set(['stringvalue', 'intvalue', 'doublevalue', 'value']);

export class NestedFields {
  readonly #keys: KeyTable;
  readonly #candidates: readonly Candidates[];

  constructor(keys: KeyTable, candidates: readonly Candidates[]) {
    this.#keys = keys;
    this.#candidates = candidates;
  }

  /** Whether a member called `name` of a container at `path` can be anything to us; see `member`. */
  matters(name: string, path: string, container: number): boolean {
    const full = path + name;
    if (rulesOfPath(full).length > 0 || isPathPrefix(full)) return true;
    return (
      container !== CONTAINER.path && (rulesOfName(name).length > 0 || containerOf(name) !== CONTAINER.none)
    );
  }

  /** Takes one member, whose value is at `start`..`end`, of a container of the record. */
  member(
    bytes: Uint8Array,
    name: string,
    start: number,
    end: number,
    kind: number,
    path: string,
    container: number,
  ): void {
    this.#value(bytes, name, start, end, kind, path, container, 1);
  }

  /**
   * Looks into the object or array at `start`..`end`. `path` is its normalised name, `container` what it
   * is (one of CONTAINER).
   */
  walk(bytes: Uint8Array, start: number, end: number, path: string, container: number): void {
    this.#walk(bytes, start, end, path, container, 1);
  }

  #walk(bytes: Uint8Array, start: number, end: number, path: string, container: number, depth: number): void {
    if (depth > MAX_DEPTH) return;
    const cursor = new JsonCursor(bytes, start, end);
    const isArray = bytes[start] === 0x5b;
    let key = 0;
    for (let count = 0; cursor.next(); count++) {
      if (!isArray) {
        key = this.#keys.find(bytes, cursor.keyStart, cursor.keyEnd, key);
        const name = this.#keys.names[key] as string;
        this.#value(bytes, name, cursor.valueStart, cursor.valueEnd, cursor.kind, path, container, depth);
      } else if (cursor.kind === KIND.object && container !== CONTAINER.path) {
        if (count >= MAX_ELEMENTS) return;
        const isPair = this.#pair(bytes, cursor, path, container, depth);
        if (!isPair) this.#walk(bytes, cursor.valueStart, cursor.valueEnd, path, container, depth + 1);
      }
    }
  }

  #value(
    bytes: Uint8Array,
    name: string,
    start: number,
    end: number,
    kind: number,
    path: string,
    container: number,
    depth: number,
  ): void {
    const full = path + name;
    this.#offer(rulesOfPath(full), NESTED_RANK, CONTAINER.whole, start, end, kind);
    const isContainer = container !== CONTAINER.path;
    if (isContainer) this.#offer(rulesOfName(name), CONTAINED_RANK, container, start, end, kind);
    if (kind !== KIND.object && kind !== KIND.array) return;
    const inner = isContainer ? containerOf(name) : CONTAINER.none;
    if (inner !== CONTAINER.none) {
      const kindOfInner = inner === CONTAINER.path ? inner : Math.min(inner, container);
      this.#walk(bytes, start, end, name, kindOfInner, depth + 1);
    } else if (isPathPrefix(full)) {
      this.#walk(bytes, start, end, full, CONTAINER.path, depth + 1);
    }
  }

  #offer(rules: FieldRules, rank: number, container: number, start: number, end: number, kind: number): void {
    for (const rule of rules) {
      if (container !== CONTAINER.whole && !CONTEXT_ROLES.has(rule.role)) continue;
      if (rule.role === ROLE.service && rule.variant === SERVICE_FORM.loggerOfPino) continue;
      if (rule.role === ROLE.errorClass || rule.role === ROLE.extra) continue;
      (this.#candidates[rule.role] as Candidates).add(rule, rank, start, end, kind, -1);
    }
  }

  /** Takes an element of an attribute list as a member; false when it is none. */
  #pair(bytes: Uint8Array, element: JsonCursor, path: string, container: number, depth: number): boolean {
    const cursor = new JsonCursor(bytes, element.valueStart, element.valueEnd);
    let name = '';
    let value: ValueSpan | null = null;
    while (cursor.next()) {
      const key = cursor.keyEnd - cursor.keyStart > 5 ? '' : cursor.key().toLowerCase();
      if (key === 'key' && cursor.kind === KIND.string) {
        name = normaliseName(decodeString(bytes, cursor.valueStart + 1, cursor.valueEnd - 1));
      } else if (key === 'value') {
        value = { valueStart: cursor.valueStart, valueEnd: cursor.valueEnd, kind: cursor.kind };
      }
    }
    if (name === '' || value === null) return false;
    const inner = value.kind === KIND.object ? unwrap(bytes, value) : value;
    this.#value(bytes, name, inner.valueStart, inner.valueEnd, inner.kind, path, container, depth);
    return true;
  }
}

interface ValueSpan {
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly kind: number;
}

/** The value inside `{"stringValue": x}` or `{"Type": ..., "Value": x}`. */
function unwrap(bytes: Uint8Array, wrapper: ValueSpan): ValueSpan {
  const cursor = new JsonCursor(bytes, wrapper.valueStart, wrapper.valueEnd);
  while (cursor.next()) {
    if (WRAPPERS.has(cursor.key().toLowerCase())) return cursor;
  }
  return wrapper;
}
