/** A topic that was filled beforehand, for tests that start a service on the same records again and again. */
import type { TestContext } from 'node:test';
import type { Random } from '../../../src/generate/random.ts';
import { Scene, type SceneOptions } from './scene.ts';

/** Files so small that a few thousand records fill several. */
const SMALL_FILES = { MAX_LOG_FILE_SIZE_MB: '0.2' };

export interface Backlog {
  /** Records in the topic, by partition. */
  readonly produced: readonly number[];
  /** A directory and a group of their own on the topic, until `context` ends. */
  scene(context: TestContext, options?: Pick<SceneOptions, 'build' | 'directory' | 'env'>): Promise<Scene>;
}

/** @param records at least so many are produced, over all partitions */
export async function fillTopic(context: TestContext, random: Random, records: number): Promise<Backlog> {
  const name = 'disk';
  const filling = await Scene.set(context, { name, random });
  const produced = await filling.traffic({ atLeast: records }).finish();
  return {
    produced,
    scene: (ofContext, { env, ...options } = {}) =>
      Scene.set(ofContext, {
        name,
        random,
        topic: filling.topic,
        env: { ...SMALL_FILES, ...env },
        ...options,
      }),
  };
}
