/** All settings as a flat list, found by walking the schema. */
import { z } from 'zod';
import { configSchema } from './schema.ts';
import { type SettingInfo, settingInfo } from './setting.ts';

export interface Setting extends SettingInfo {
  readonly path: readonly string[];
  /** The path as it is written in messages: `kafka.topic`. */
  readonly key: string;
  readonly variable: EnvironmentVariable;
}

interface EnvironmentVariable {
  readonly name: string;
  /** Appended to the value of a variable whose name already says the unit. */
  readonly unit: '' | 'MiB' | 's' | 'd';
}

/** Variables that deployments already use; every other setting gets its name by the rule below. */
const FIXED_VARIABLES: Readonly<Record<string, EnvironmentVariable>> = {
  'kafka.brokers': { name: 'KAFKA_BROKERS', unit: '' },
  'kafka.topic': { name: 'LOG_TOPIC', unit: '' },
  'kafka.group_id': { name: 'LOG_GROUP_ID', unit: '' },
  'output.directory': { name: 'LOG_OUTPUT_DIR', unit: '' },
  'output.instance_id': { name: 'INSTANCE_ID', unit: '' },
  'output.min_level': { name: 'LOG_LEVEL', unit: '' },
  'output.max_file_size': { name: 'MAX_LOG_FILE_SIZE_MB', unit: 'MiB' },
  'output.buffer_size': { name: 'BUFFER_SIZE', unit: '' },
  'output.flush_interval': { name: 'FLUSH_INTERVAL_SEC', unit: 's' },
  'retention.max_age': { name: 'LOG_RETENTION_DAYS', unit: 'd' },
  'ops.port': { name: 'OPS_PORT', unit: '' },
};

export const VARIABLE_PREFIX = 'LOG_CONSUMER_';

/** The name a setting's variable has by the fixed rule: `kafka.client_id` is `LOG_CONSUMER_KAFKA_CLIENT_ID`. */
export function variableByRule(key: string): string {
  return `${VARIABLE_PREFIX}${key.replaceAll('.', '_').toUpperCase()}`;
}

/** Every setting, in the order of config.yaml. */
export const SETTINGS: readonly Setting[] = [...settingsOf(configSchema, [])];

/** Sections and the categories below them, with the keys that each may hold; `""` is the whole file. */
export const SECTION_KEYS: ReadonlyMap<string, readonly string[]> = sectionKeys();

function* settingsOf(schema: z.core.$ZodType, path: readonly string[]): Generator<Setting> {
  const info = settingInfo.get(schema);
  if (info !== undefined) {
    const key = path.join('.');
    yield { ...info, path, key, variable: FIXED_VARIABLES[key] ?? { name: variableByRule(key), unit: '' } };
  } else if (schema instanceof z.ZodPrefault) {
    yield* settingsOf(schema.unwrap(), path);
  } else if (schema instanceof z.ZodObject) {
    for (const [key, child] of Object.entries<z.core.$ZodType>(schema.shape)) {
      yield* settingsOf(child, [...path, key]);
    }
  }
}

function sectionKeys(): Map<string, string[]> {
  const sections = new Map<string, Set<string>>();
  for (const { path } of SETTINGS) {
    for (const [depth, key] of path.entries()) {
      const section = path.slice(0, depth).join('.');
      sections.set(section, (sections.get(section) ?? new Set()).add(key));
    }
  }
  return new Map([...sections].map(([section, keys]) => [section, [...keys]]));
}
