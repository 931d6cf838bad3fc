/** Kafka offsets are 64-bit; ours are plain numbers, exact up to 2^53, which no partition reaches. */
import { invariant } from './invariant.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The next offset to read from a partition. */
export interface Position extends TopicPartition {
  readonly nextOffset: number;
}

/** Offsets [from, to) of a partition. */
export interface PartitionRange extends TopicPartition {
  readonly from: number;
  readonly to: number;
}

/** Key of a partition in maps and files: `<topic>/<partition>`; topic names cannot hold a slash. */
export function partitionKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** Inverse of `partitionKey`. */
export function parsePartitionKey(key: string): TopicPartition {
  const slash = key.lastIndexOf('/');
  return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) };
}

/** Reads an offset as Kafka clients print it. */
export function parseOffset(text: string): number {
  const offset = Number(text);
  invariant(Number.isSafeInteger(offset), `offset ${text} is not a safe integer`);
  return offset;
}
