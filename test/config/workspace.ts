/** A temporary folder with configuration files, removed when the test ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadConfig } from '../../src/config/load.ts';
import { ServiceError } from '../../src/core/errors.ts';

export interface Workspace {
  readonly directory: string;
  /** Writes a file and returns its path. */
  write(name: string, content: string): string;
}

export function createWorkspace(context: TestContext): Workspace {
  const directory = mkdtempSync(join(tmpdir(), 'config-'));
  context.after(() => rmSync(directory, { recursive: true }));
  return {
    directory,
    write: (name, content) => {
      const path = join(directory, name);
      writeFileSync(path, content);
      return path;
    },
  };
}

/**
 * The message with which a configuration is refused, without its introduction; every mention of the
 * temporary folder left out.
 */
export function refusal(
  workspace: Workspace,
  yaml: string,
  env: Readonly<Record<string, string>> = {},
): string {
  const file = workspace.write('config.yaml', yaml);
  try {
    loadConfig({ file, env });
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'CONFIG_INVALID') throw error;
    return error.message
      .replaceAll(`${workspace.directory}/`, '')
      .replace('The configuration is not valid: ', '');
  }
  return 'accepted';
}
