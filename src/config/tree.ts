/** Plain nested values as they come out of YAML, addressed by path. */
export type Tree = Record<string, unknown>;

export type Path = readonly PropertyKey[];

/** Whether a value is a mapping. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path; undefined when there is none. Only own keys count. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** A copy of the tree with one value set; whatever is in the way and not a mapping is replaced. */
export function withValue(tree: Tree, path: readonly string[], value: unknown): Tree {
  const [key, ...rest] = path;
  if (key === undefined) return tree;
  const child = valueAt(tree, [key]);
  return { ...tree, [key]: rest.length === 0 ? value : withValue(isTree(child) ? child : {}, rest, value) };
}

/** A copy of the tree without the value at a path. */
export function withoutValue(tree: Tree, path: Path): Tree {
  const [key, ...rest] = path;
  if (typeof key !== 'string' || !Object.hasOwn(tree, key)) return tree;
  if (rest.length === 0) return Object.fromEntries(Object.entries(tree).filter(([name]) => name !== key));
  const child = tree[key];
  return isTree(child) ? { ...tree, [key]: withoutValue(child, rest) } : withoutValue(tree, [key]);
}
