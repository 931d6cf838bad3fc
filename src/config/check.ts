/** Holds a tree of values against the schema and the relations, and collects everything that is wrong. */
import { backupProblems } from './backup-relations.ts';
import type { Interpolated } from './interpolation.ts';
import { brokenPaths, type Given, problemsOf } from './problems.ts';
import { relationProblems } from './relations.ts';
import { configSchema, type Settings } from './schema.ts';
import { securityProblems } from './security-relations.ts';
import { type Path, type Tree, withoutValue } from './tree.ts';

export interface Checked {
  /** Undefined when the schema refused something that cannot be left out. */
  readonly settings: Settings | undefined;
  /** Sentences without a full stop. */
  readonly problems: readonly string[];
}

/**
 * Checks the whole tree. Values that are wrong by themselves are replaced by defaults to check the relations
 * between the others, so that one run names everything. Relations are left out when `complete` is false:
 * then the values that somebody wrote are not known.
 */
export function check(interpolated: Interpolated, given: Given, complete: boolean): Checked {
  const references = interpolated.problems.map(({ path, text }) => {
    return `${given.originOf(path)}${path.join('.')} ${text}`;
  });
  const unresolved = interpolated.problems.map(({ path }) => path);
  const tree = unresolved.reduce<Tree>(withoutValue, interpolated.tree);
  const issues = configSchema.safeParse(tree).error?.issues ?? [];
  const broken = issues.flatMap(brokenPaths);
  const repaired = configSchema.safeParse(broken.reduce<Tree>(withoutValue, tree));
  const brokenKeys = new Set([...broken, ...unresolved].map((path: Path) => path.join('.')));
  const relations =
    repaired.success && complete
      ? [
          ...relationProblems(repaired.data, brokenKeys, given.originOf),
          ...securityProblems(repaired.data.kafka, brokenKeys, given.originOf),
          ...backupProblems(repaired.data.backup, brokenKeys, given.originOf),
        ]
      : [];
  const problems = [...references, ...issues.flatMap((issue) => problemsOf(issue, given)), ...relations];
  return { settings: repaired.data, problems };
}
