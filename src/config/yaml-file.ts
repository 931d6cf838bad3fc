/** Reads config.yaml into a plain tree, remembering on which line every key stands. */
import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { messageOf, systemCodeOf } from '../core/errors.ts';
import { isTree, type Path, type Tree } from './tree.ts';

export interface YamlFile {
  readonly tree: Tree;
  /** The line, from 1, of the key at a path or of the closest key above it; undefined when there is none. */
  readonly lineOf: (path: Path) => number | undefined;
  /** Sentences without a full stop, each naming file and line. */
  readonly problems: readonly string[];
  /** False when the tree is incomplete, because the text is not valid YAML. */
  readonly readable: boolean;
}

/** What a configuration without a file is. */
export const NO_FILE: YamlFile = { tree: {}, lineOf: () => undefined, problems: [], readable: true };

/** Reads and parses a file; whatever is wrong is in `problems`, nothing is thrown. */
export function readYamlFile(file: string): YamlFile {
  try {
    return parseYaml(file, readFileSync(file, 'utf8'));
  } catch (error) {
    return unreadable(`${file} ${reasonOf(error)}`);
  }
}

/** Parses the text of a configuration file; `file` is only its name in messages. */
function parseYaml(file: string, source: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const errors: readonly YAMLError[] = [...document.errors, ...document.warnings];
  if (errors.length > 0) {
    // One wrong character often causes several errors; on one line only the first says anything.
    const firstOfLine = new Map(errors.toReversed().map((error) => [lineAt(error.pos[0]), error]));
    const ordered = [...firstOfLine].sort(([a], [b]) => a - b);
    return unreadable(...ordered.map(([line, error]) => `${file} line ${line}: ${textOf(error, source)}`));
  }
  let tree: unknown;
  try {
    tree = document.toJS() ?? {};
  } catch (error) {
    return unreadable(`${file}: ${lowerFirst(messageOf(error))}`);
  }
  if (!isTree(tree))
    return unreadable(`${file} line 1: expected sections such as "kafka:", not a single value`);
  const lineOf = (path: Path): number | undefined => {
    const offset = keyOffset(document.contents, path);
    return offset === undefined ? undefined : lineAt(offset);
  };
  return { tree, lineOf, problems: [], readable: true };
}

function unreadable(...problems: readonly string[]): YamlFile {
  return { ...NO_FILE, problems, readable: false };
}

function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EISDIR') return 'is a directory';
  if (code === 'EACCES') return 'may not be read by this user';
  return `cannot be read: ${messageOf(error)}`;
}

function textOf(error: YAMLError, source: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^["']?([^"':\s]+)/.exec(source.slice(error.pos[0]))?.[1] ?? '';
    return `the key "${key}" stands twice in the same section`;
  }
  if (error.code === 'TAB_AS_INDENT') return 'indented with a tab; YAML accepts only spaces';
  if (error.code === 'MULTIPLE_DOCS') return 'a second document starts here; the file may hold only one';
  return `not valid YAML: ${lowerFirst(error.message)}`;
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

/** Position of the key at a path, or of the last key that exists on the way. */
function keyOffset(contents: unknown, path: Path): number | undefined {
  let node = contents;
  let offset: number | undefined;
  for (const step of path) {
    if (!isMap(node)) return offset;
    const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
    if (pair === undefined || !isScalar(pair.key)) return offset;
    offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
