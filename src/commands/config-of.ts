import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { instanceDirectory } from '../storage/layout.ts';
import { type CommandContext, textOption } from './command.ts';

/** The configuration that a command's `--config` and environment give. */
export function configOf({ values, env }: CommandContext): Config {
  const file = textOption(values, 'config');
  return loadConfig(file === undefined ? { env } : { file, env });
}

/** Where this instance keeps its files. */
export function directoryOf({ output }: Config): string {
  return instanceDirectory(output.directory, output.instanceId ?? '');
}
