/** Settings given by environment variables. An empty variable is the same as none. */
import { nearest } from './nearest.ts';
import type { SettingKind } from './setting.ts';
import { SETTINGS, type Setting, VARIABLE_PREFIX, variableByRule } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentValue {
  readonly setting: Setting;
  /** As it would stand in config.yaml. */
  readonly value: unknown;
}

export interface EnvironmentSettings {
  readonly values: readonly EnvironmentValue[];
  /** Unknown variables and values that do not fit the unit in the variable's name. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Variables of parts of the product that do not exist yet; a deployment may set them already. */
const VARIABLES_WITHOUT_EFFECT = ['API_PORT'];

/** Names a variable that chooses the file instead of a setting; loadConfig reads it. */
export const FILE_VARIABLE = 'CONFIG_FILE';

/** Reads every variable that belongs to us; nothing is thrown. */
export function readEnvironment(env: Environment): EnvironmentSettings {
  const problems = Object.keys(env).flatMap((name) => unknownVariable(name, env[name] ?? ''));
  const values: EnvironmentValue[] = [];
  for (const setting of SETTINGS) {
    const text = env[setting.variable.name] ?? '';
    if (text === '' || isServiceLink(setting.variable.name, text)) continue;
    const outcome = valueFrom(setting, text);
    if (outcome.problem === undefined) values.push({ setting, value: outcome.value });
    else problems.push(outcome.problem);
  }
  const warnings = VARIABLES_WITHOUT_EFFECT.filter((name) => (env[name] ?? '') !== '').map(
    (name) => `The environment variable ${name} is set but has no effect in this version.`,
  );
  return { values, problems, warnings };
}

/** Where a setting came from, as problems begin: "environment variable OPS_PORT: ". */
export function variableOrigin(setting: Setting): string {
  return `environment variable ${setting.variable.name}: `;
}

/**
 * Kubernetes puts variables such as `LOG_CONSUMER_SERVICE_HOST` and `LOG_CONSUMER_PORT=tcp://10.0.0.1:9464`
 * into every pod beside a Service named "log-consumer", and `OPS_PORT` for one named "ops".
 * Source: Kubernetes documentation, "Accessing the Service", environment variables.
 */
function isServiceLink(name: string, text: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return /_PORT$/.test(name) && /^(tcp|udp|sctp):\/\//.test(text);
}

/** One problem, or none when the variable is not ours or is known. */
function unknownVariable(name: string, text: string): readonly string[] {
  const foreign = !name.startsWith(VARIABLE_PREFIX) || text === '' || isServiceLink(name, text);
  if (foreign || SETTINGS.some(({ variable }) => variable.name === name)) return [];
  const renamed = SETTINGS.find(({ key }) => variableByRule(key) === name);
  if (renamed !== undefined) {
    return [`environment variable ${name} is unknown; ${renamed.key} is set by ${renamed.variable.name}`];
  }
  const names = SETTINGS.map(({ variable }) => variable.name);
  const byRule = nearest(
    name.slice(VARIABLE_PREFIX.length),
    SETTINGS.map(({ key }) => key),
  );
  const closest = SETTINGS.find(({ key }) => key === byRule)?.variable.name ?? nearest(name, names);
  const hint =
    closest === undefined
      ? 'see docs/configuration.md for all of them'
      : `the nearest valid one is ${closest}`;
  return [`environment variable ${name} is unknown; ${hint}`];
}

const UNIT_NAMES: Readonly<Record<string, string>> = { s: 'seconds', d: 'days' };

type Outcome = { readonly value: unknown; readonly problem?: undefined } | { readonly problem: string };

function valueFrom(setting: Setting, text: string): Outcome {
  const { unit } = setting.variable;
  if (unit === '') return { value: typedValue(setting.kind, text) };
  if (/^\d+(\.\d+)?$/.test(text)) return { value: `${text}${unit}` };
  const unitName = UNIT_NAMES[unit] ?? unit;
  const expected = `a plain number of ${unitName}, because the unit is in the name`;
  return {
    problem: `${variableOrigin(setting)}${setting.key} is ${JSON.stringify(text)}; expected ${expected}`,
  };
}

/** What the same characters would be in config.yaml; whatever does not fit stays text and fails validation. */
function typedValue(kind: SettingKind, text: string): unknown {
  switch (kind) {
    case 'integer':
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case 'bytes':
      return /^\d+$/.test(text) ? Number(text) : text;
    case 'flag':
      return text === 'true' || text === 'false' ? text === 'true' : text;
    case 'map':
    case 'command':
      return parsedJson(text);
    case 'text':
    case 'choice':
    case 'level':
    case 'duration':
    case 'list':
    case 'secret':
      return text;
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
