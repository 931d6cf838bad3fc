/**
 * `${env:NAME}` and `${file:PATH}` inside string values, for secrets. One pass: what is put in is never
 * looked at again. The tree as written stays untouched, so messages can show the reference, never the secret.
 * In a setting that is a secret, `${` may belong to the secret: only a value that is nothing but a
 * reference is replaced.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, systemCodeOf } from '../core/errors.ts';
import { isReference, isSecret } from './secrets.ts';
import { isTree, type Path, type Tree } from './tree.ts';

export interface Interpolated {
  readonly tree: Tree;
  /** Paths whose value came from a reference, so that they are never shown. */
  readonly secretPaths: readonly Path[];
  readonly problems: readonly ReferenceProblem[];
}

interface ReferenceProblem {
  readonly path: Path;
  /** What is wrong with it, to stand after the name of the key. */
  readonly text: string;
}

export interface ReferenceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths in `${file:PATH}` start here. */
  readonly directory: string;
}

/** Replaces every reference in every string of the tree. */
export function interpolate(tree: Tree, sources: ReferenceSources): Interpolated {
  const secretPaths: Path[] = [];
  const problems: ReferenceProblem[] = [];
  const visit = (value: unknown, path: Path): unknown => {
    if (Array.isArray(value)) return value.map((entry, index) => visit(entry, [...path, index]));
    if (isTree(value))
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, visit(v, [...path, k])]));
    if (typeof value !== 'string' || !value.includes('${')) return value;
    secretPaths.push(path);
    if (isSecret(path) && !isReference(value)) return value;
    return value.replace(/\$\{([^}]*)\}/g, (reference, content: string) => {
      const outcome = resolveReference(content, sources);
      if (outcome.problem !== undefined) problems.push({ path, text: `${outcome.problem} (${reference})` });
      return outcome.value ?? reference;
    });
  };
  const entries = Object.entries(tree).map(([key, value]) => [key, visit(value, [key])]);
  return { tree: Object.fromEntries(entries), secretPaths, problems };
}

type Outcome =
  | { readonly value: string; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string };

function resolveReference(content: string, sources: ReferenceSources): Outcome {
  const [, kind, name] = /^(env|file):(.+)$/.exec(content) ?? [];
  if (name === undefined)
    return { problem: `holds a reference that is neither \${env:NAME} nor \${file:PATH}` };
  return kind === 'env' ? fromEnvironment(name, sources) : fromFile(resolve(sources.directory, name));
}

function fromEnvironment(name: string, sources: ReferenceSources): Outcome {
  const value = sources.env[name];
  if (value === undefined || value === '') {
    return { problem: `needs the environment variable ${name}, which is not set` };
  }
  return { value };
}

/** Secrets mounted as files usually end with a newline, which is not part of the secret. */
function fromFile(file: string): Outcome {
  try {
    return { value: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    const missing = systemCodeOf(error) === 'ENOENT';
    return {
      problem: `needs the file ${file}, which ${missing ? 'does not exist' : `cannot be read: ${messageOf(error)}`}`,
    };
  }
}
