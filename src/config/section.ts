/** Says of the keys of one section which are missing or have no effect. */
import { type Path, valueAt } from './tree.ts';

export class Section {
  readonly #settings: unknown;
  readonly #name: string;
  readonly #brokenKeys: ReadonlySet<string>;
  readonly #originOf: (path: Path) => string;

  constructor(
    settings: unknown,
    name: string,
    brokenKeys: ReadonlySet<string>,
    originOf: (path: Path) => string,
  ) {
    this.#settings = settings;
    this.#name = name;
    this.#brokenKeys = brokenKeys;
    this.#originOf = originOf;
  }

  /** Whether its value is the one that somebody wrote. */
  isKnown(key: string): boolean {
    return !this.#brokenKeys.has(`${this.#name}.${key}`);
  }

  isSet(key: string): boolean {
    const value = valueAt(this.#settings, [key]);
    return !this.isKnown(key) || (Array.isArray(value) ? value.length > 0 : value !== '');
  }

  needless(keys: readonly string[], reason: string): string[] {
    return keys.filter((key) => this.isSet(key)).map((key) => `${this.#where(key)} is set but ${reason}`);
  }

  missing(keys: readonly string[], reason: string): string[] {
    return keys.filter((key) => !this.isSet(key)).map((key) => `${this.#where(key)} is missing; ${reason}`);
  }

  #where(key: string): string {
    return `${this.#originOf([...this.#name.split('.'), key])}${this.#name}.${key}`;
  }
}
