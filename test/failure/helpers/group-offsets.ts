/** What the group has committed, and what the files hold, by partition. */
import { loadCheckpoint } from '../../../src/storage/checkpoint.ts';
import { fetchGroupOffsets } from '../../helpers/kafka.ts';

/** The group's committed offsets; partitions without one are left out. */
export async function committedOffsets(
  bootstrap: string,
  groupId: string,
  topic: string,
): Promise<Map<number, number>> {
  const committed = await fetchGroupOffsets(bootstrap, groupId, topic);
  const offsets = committed.map((entry) => [entry.partition, Number(entry.offset)] as const);
  return new Map(offsets.filter(([, offset]) => offset >= 0).sort(([a], [b]) => a - b));
}

/** The next offset of every partition that the checkpoint knows. */
export function filedOffsets(directory: string, topic: string): Map<number, number> {
  const partitions = loadCheckpoint(directory)?.checkpoint.partitions ?? {};
  const offsets = Object.entries(partitions)
    .filter(([key]) => key.startsWith(`${topic}/`))
    .map(([key, entry]) => [Number(key.slice(topic.length + 1)), entry.next_offset] as const);
  return new Map(offsets.sort(([a], [b]) => a - b));
}
