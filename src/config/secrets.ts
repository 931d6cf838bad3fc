/**
 * Settings that are secrets. In config.yaml such a setting is a reference and nothing else, because files
 * are copied, printed and committed. In its own variable it is the secret, character by character.
 */
import { SETTINGS } from './settings.ts';
import { type Path, type Tree, valueAt } from './tree.ts';

const REFERENCE = /^\$\{(env|file):[^}]+\}$/;

/** Whether the setting at a path is a secret. */
export function isSecret(path: Path): boolean {
  return SETTINGS.some(({ kind, key }) => kind === 'secret' && key === path.join('.'));
}

/** Whether the whole text is one reference. */
export function isReference(text: string): boolean {
  return REFERENCE.test(text);
}

/** One sentence without a full stop for each secret that stands in the file itself. */
export function secretsWritten(tree: Tree, originOf: (path: Path) => string): string[] {
  return SETTINGS.filter(({ kind, path }) => {
    const value = valueAt(tree, path);
    return kind === 'secret' && typeof value === 'string' && value !== '' && !isReference(value);
  }).map(({ path, key, accepts, variable }) => {
    return `${originOf(path)}${key} holds the secret itself; expected ${accepts}, or set ${variable.name}`;
  });
}
