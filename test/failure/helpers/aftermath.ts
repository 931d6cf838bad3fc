/** What becomes of an output directory in which a service starts again after something happened to it. */
import type { TestContext } from 'node:test';
import { ServiceError } from '../../../src/core/errors.ts';
import { Random } from '../../../src/generate/random.ts';
import { type Checkpoint, loadCheckpoint } from '../../../src/storage/checkpoint.ts';
import { verify } from '../../../src/upkeep/verify.ts';
import { checkExactness } from '../../helpers/exactness.ts';
import { type Exit, waitFor } from '../../helpers/service.ts';
import { type GroupCommit, writeGroupCommits } from './group-commits.ts';
import { hasEnded, Scene, waitUntilReading } from './scene.ts';

export interface Remains {
  readonly directory: string;
  /** What Kafka knew when it happened. */
  readonly commits: readonly GroupCommit[];
  /** Records in the topic by now, by partition. */
  readonly produced: readonly number[];
}

export interface Aftermath {
  /** Records that are not there exactly once, and what `verify` says; nothing when all is well. */
  readonly problems: readonly string[];
  /** Records that the directory did not have yet. */
  readonly unread: number;
  readonly exit: Exit;
  readonly log: string;
  /** The group that went on. */
  readonly groupId: string;
}

/** Goes on in the directory up to the end of the topic, with a group that stands where Kafka stood. */
export async function goOnIn(
  t: TestContext,
  { bootstrap, topic, partitions }: Scene,
  { directory, commits, produced }: Remains,
  env: Readonly<Record<string, string>> = {},
): Promise<Aftermath> {
  const scene = await Scene.set(t, { name: 'revived', random: new Random(0), topic, partitions, directory });
  const { groupId } = scene;
  await writeGroupCommits(bootstrap, groupId, topic, commits);
  const total = produced.reduce((sum, count) => sum + count, 0);
  const filed = produced.map((_, partition) => durableOffset(directory, topic, partition));
  const service = scene.start(env);
  await waitFor(
    'the rest to be read, or the service to end',
    async () => hasEnded(service) || (await scene.isCommitted()),
  );
  await waitUntilReading(service);
  const exit = await service.stop();
  const problems =
    exit.code === 0
      ? await problemsIn(directory, produced)
      : [`it ended with ${exit.code}: ${fatalError(service.log).message.replaceAll(`${directory}/`, '')}`];
  const unread = total - filed.reduce((sum, offset) => sum + offset, 0);
  return { problems, unread, exit, log: service.log, groupId };
}

/** Commits that are ahead of the directory's newest checkpoint. */
export function committedBeyond(directory: string, topic: string, commits: readonly GroupCommit[]): string[] {
  return commits
    .map(({ partition, offset }) => ({
      partition,
      offset,
      filed: durableOffset(directory, topic, partition),
    }))
    .filter(({ offset, filed }) => offset > filed)
    .map(({ partition, offset, filed }) => `partition ${partition}: ${offset} committed, ${filed} durable`);
}

/** 0 where there is no checkpoint, or none that can be read: then nothing is durable. */
function durableOffset(directory: string, topic: string, partition: number): number {
  const positions = checkpointIn(directory)?.partitions ?? {};
  return positions[`${topic}/${partition}`]?.next_offset ?? 0;
}

function checkpointIn(directory: string): Checkpoint | undefined {
  try {
    return loadCheckpoint(directory)?.checkpoint;
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'CHECKPOINT_CORRUPT') return undefined;
    throw error;
  }
}

async function problemsIn(directory: string, produced: readonly number[]): Promise<string[]> {
  const { problems } = await checkExactness(directory, produced);
  const verified = await verify(directory);
  return [...problems, ...verified.problems];
}

/** What a service said when it ended by itself: the last line of its log. */
export function fatalError(log: string): { readonly code: string; readonly message: string } {
  const last = JSON.parse(log.trimEnd().split('\n').at(-1) ?? '') as {
    readonly error?: { readonly code: string; readonly message: string };
  };
  return last.error ?? { code: '', message: '' };
}
