/** Puts the configuration together: defaults, overridden by config.yaml, overridden by the environment. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { backupVerificationProblems, backupWarnings } from './backup-relations.ts';
import { check } from './check.ts';
import { type Config, sectionsFrom } from './config.ts';
import { describeSettings } from './describe.ts';
import {
  type Environment,
  type EnvironmentValue,
  FILE_VARIABLE,
  readEnvironment,
  variableOrigin,
} from './environment.ts';
import { interpolate } from './interpolation.ts';
import { type Machine, readMachine } from './machine.ts';
import { type Given, invalidConfig } from './problems.ts';
import { secretsWritten } from './secrets.ts';
import { securityWarnings, verificationProblems } from './security-relations.ts';
import { SECTION_KEYS } from './settings.ts';
import { type Tree, valueAt, withoutValue, withValue } from './tree.ts';
import { NO_FILE, readYamlFile, type YamlFile } from './yaml-file.ts';

/** Read when it exists and no other file is named. */
const DEFAULT_FILE = 'config.yaml';

export interface ConfigSources {
  /** Beats CONFIG_FILE. */
  readonly file?: string;
  readonly env: Environment;
  /** The one that runs this by default. */
  readonly machine?: Machine;
}

/**
 * The frozen configuration. Throws ServiceError CONFIG_INVALID that names every problem at once:
 * the key, the value, what is accepted, and file and line or the variable.
 */
export function loadConfig(sources: ConfigSources): Config {
  const file = chosenFile(sources);
  const yaml = file === null ? NO_FILE : readYamlFile(file);
  const environment = readEnvironment(sources.env);
  const tree = overlaid(withoutEmptySections(yaml.tree), environment.values);
  const given = { tree, originOf: originsFrom(file, yaml, environment.values) };
  const directory = file === null ? '.' : dirname(file);
  const interpolated = interpolate(tree, { env: sources.env, directory });
  const checked = check(interpolated, given, yaml.readable);
  const written = secretsWritten(yaml.tree, originsFrom(file, yaml, []));
  const problems = [...yaml.problems, ...environment.problems, ...written, ...checked.problems];
  if (checked.settings !== undefined) {
    const { kafka, backup } = checked.settings;
    problems.push(
      ...verificationProblems(kafka, sources.env),
      ...backupVerificationProblems(backup, sources.env),
    );
  }
  if (checked.settings === undefined || problems.length > 0) throw invalidConfig(problems);
  const sections = sectionsFrom(checked.settings, sources.machine ?? readMachine());
  return deepFreeze({
    ...sections,
    file,
    warnings: [
      ...environment.warnings,
      ...sections.memory.warnings,
      ...securityWarnings(checked.settings.kafka),
      ...backupWarnings(checked.settings.backup),
    ],
    described: describeSettings(checked.settings, interpolated.secretPaths),
  });
}

function chosenFile({ file, env }: ConfigSources): string | null {
  const named = file ?? env[FILE_VARIABLE] ?? '';
  if (named !== '') return named;
  return existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null;
}

/** `kafka:` with every key below it commented out is an empty section, not a value. */
function withoutEmptySections(tree: Tree): Tree {
  const sections = [...SECTION_KEYS.keys()]
    .filter((section) => section !== '')
    .map((section) => section.split('.'));
  return sections.reduce(
    (pruned, section) => (valueAt(pruned, section) === null ? withoutValue(pruned, section) : pruned),
    tree,
  );
}

function overlaid(tree: Tree, values: readonly EnvironmentValue[]): Tree {
  return values.reduce((merged, { setting, value }) => withValue(merged, setting.path, value), tree);
}

function originsFrom(
  file: string | null,
  yaml: YamlFile,
  values: readonly EnvironmentValue[],
): Given['originOf'] {
  return (path) => {
    const fromVariable = values.find(({ setting }) =>
      setting.path.every((key, depth) => path[depth] === key),
    );
    if (fromVariable !== undefined) return variableOrigin(fromVariable.setting);
    const line = yaml.lineOf(path);
    return line === undefined ? '' : `${file} line ${line}: `;
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}

/**
 * For commands that consume: what they are allowed has to fit into memory.
 * @throws ServiceError CONFIG_INVALID when the sum of all limits is above what there is
 */
export function requireMemory({ memory }: Config): void {
  if (memory.problem !== null) throw invalidConfig([memory.problem]);
}
