/** The sets of files below an output root: of the root itself, and of the instances that share it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileSize } from './durable-file.ts';
import { INSTANCES_DIRECTORY, STATE_DIRECTORY } from './layout.ts';

export interface InstanceDirectory {
  /** Below the root, for messages: `instances/<id>`, or the root as it was given. */
  readonly name: string;
  readonly directory: string;
}

/** All instances that have ever started, in the order of their names. */
export function instanceDirectories(root: string): InstanceDirectory[] {
  const parent = join(root, INSTANCES_DIRECTORY);
  const ids = fileSize(parent) === undefined ? [] : readdirSync(parent).sort();
  const instances = ids.map((id) => ({ name: `${INSTANCES_DIRECTORY}/${id}`, directory: join(parent, id) }));
  return [{ name: root, directory: root }, ...instances].filter(
    ({ directory }) => fileSize(join(directory, STATE_DIRECTORY)) !== undefined,
  );
}
