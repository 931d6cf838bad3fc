/**
 * What a group has committed, metadata and all, and how to give it to another group: one that stands
 * where Kafka stood at some moment (OffsetCommit, version 2 of the protocol, written by hand: the admin
 * client of kafkajs drops the metadata).
 */
import { fetchGroupOffsets } from '../../helpers/kafka.ts';
import { array, askBroker, int32, text } from './kafka-request.ts';

const OFFSET_COMMIT = 8;
/** No member commits, but an administrator, while the group is empty. */
const NO_GENERATION = -1;
const NO_MEMBER = '';
const DEFAULT_RETENTION = -1n;

export interface GroupCommit {
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

/** The group's commits; partitions without one are left out. */
export async function readGroupCommits(
  bootstrap: string,
  groupId: string,
  topic: string,
): Promise<GroupCommit[]> {
  const offsets = await fetchGroupOffsets(bootstrap, groupId, topic);
  return offsets
    .map(({ partition, offset, metadata }) => ({
      partition,
      offset: Number(offset),
      metadata: metadata ?? '',
    }))
    .filter(({ offset }) => offset >= 0);
}

/** Commits for a group that has no members. */
export async function writeGroupCommits(
  bootstrap: string,
  groupId: string,
  topic: string,
  commits: readonly GroupCommit[],
): Promise<void> {
  // The broker ends the connection of who commits nothing.
  if (commits.length === 0) return;
  const partitions = commits.map(({ partition, offset, metadata }) =>
    Buffer.concat([int32(partition), int64(BigInt(offset)), text(metadata)]),
  );
  const body = Buffer.concat([
    text(groupId),
    int32(NO_GENERATION),
    text(NO_MEMBER),
    int64(DEFAULT_RETENTION),
    array([Buffer.concat([text(topic), array(partitions)])]),
  ]);
  const answer = await askBroker(bootstrap, { apiKey: OFFSET_COMMIT, apiVersion: 2, body });
  for (const [partition, error] of errorsOf(answer, topic)) {
    if (error !== 0) throw new Error(`OffsetCommit of partition ${partition} was answered by error ${error}`);
  }
}

/** The answer has one topic: its name, then the partitions, each as INT32 and the error as INT16. */
function errorsOf(answer: Buffer, topic: string): [partition: number, error: number][] {
  const start = int32(1).length + text(topic).length;
  const count = answer.readInt32BE(start);
  return Array.from({ length: count }, (_, index) => {
    const at = start + 4 + 6 * index;
    return [answer.readInt32BE(at), answer.readInt16BE(at + 4)];
  });
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}
