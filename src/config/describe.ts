/** The effective configuration for people: startup log and `check --json`. */
import { formatBytes, formatDuration } from '../core/units.ts';
import type { Config } from './config.ts';
import type { Settings } from './schema.ts';
import { SETTINGS, type Setting } from './settings.ts';
import { type Path, type Tree, valueAt, withValue } from './tree.ts';

const REDACTED = '[redacted]';

/** A plain object: the file that was read, the warnings, and every setting by its key, secrets replaced. */
export function describeConfig(config: Config): Record<string, unknown> {
  return { file: config.file, warnings: config.warnings, ...config.described };
}

/** Settings as they would be written in config.yaml; whatever came from a secret reference is replaced. */
export function describeSettings(settings: Settings, secretPaths: readonly Path[]): Tree {
  return SETTINGS.reduce<Tree>((described, setting) => {
    const fromReference = secretPaths.some((path) => setting.path.every((key, depth) => path[depth] === key));
    return withValue(described, setting.path, fromReference ? REDACTED : shown(setting, settings));
  }, {});
}

function shown(setting: Setting, settings: Settings): unknown {
  const value = valueAt(settings, setting.path);
  if (setting.kind === 'secret') return value === '' ? '' : REDACTED;
  // Arguments of a program may be secrets, even if nobody should give them that way.
  if (setting.kind === 'command' && Array.isArray(value)) {
    return value.map((argument: unknown, index) => (index === 0 ? argument : REDACTED));
  }
  if (typeof value === 'number' && setting.kind === 'bytes') return formatBytes(value);
  if (typeof value === 'number' && setting.kind === 'duration') return formatDuration(value);
  return value === null ? 'none' : value;
}
