/** What a service does with a position that cannot be right: it refuses, or it jumps and says so. */
import assert from 'node:assert/strict';
import { verify } from '../../../src/upkeep/verify.ts';
import { checkExactness, EXACT, uniqueMessage } from '../../helpers/exactness.ts';
import { produce } from '../../helpers/kafka.ts';
import { type ServiceProcess, waitFor } from '../../helpers/service.ts';
import { filedOffsets } from './group-offsets.ts';
import type { Scene } from './scene.ts';

/** Records in one record batch. */
export const BATCH_RECORDS = 100;

interface Jump {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Produces the records [first, next) of partition 0. */
export function produceRange({ bootstrap, topic }: Scene, first: number, next: number): Promise<void> {
  const messages = Array.from({ length: next - first }, (_, index) => uniqueMessage(0, first + index));
  return produce(bootstrap, topic, messages, { batchRecords: BATCH_RECORDS });
}

/** Waits until the files hold partition 0 up to `offset`. */
export function reached({ directory, topic }: Scene, offset: number): Promise<void> {
  return waitFor(
    `the files to reach offset ${offset}`,
    async () => filedOffsets(directory, topic).get(0) === offset,
  );
}

/** Waits for the service to end because of its position, naming the setting that decides. */
export async function assertRefused(service: ServiceProcess, setting: string): Promise<void> {
  await waitFor('the service to end', () => service.child.exitCode !== null);
  assert.equal(service.child.exitCode, 1, service.log);
  const last = JSON.parse(service.log.trimEnd().split('\n').at(-1) ?? '') as {
    readonly level: string;
    readonly error: { readonly code: string; readonly message: string };
  };
  assert.equal(last.level, 'FATAL');
  assert.equal(last.error.code, 'POSITION_IMPOSSIBLE');
  assert.ok(last.error.message.includes(setting), last.error.message);
}

/** The one jump of a running service is counted, logged as an error, and shown by `verify`. */
export async function assertJumped(scene: Scene, service: ServiceProcess, jump: Jump): Promise<void> {
  assert.equal(await service.metric('log_consumer_position_jumps_total'), 1);
  assert.equal(await service.metric('log_consumer_records_lost_total'), Math.max(0, jump.to - jump.from));
  const lines = service.log.split('\n').filter((line) => line.includes('position moved without reading'));
  assert.equal(lines.length, 1, service.log);
  assert.equal((JSON.parse(lines[0] ?? '') as { level: string }).level, 'ERROR');
  const { partitions } = await verify(scene.directory);
  assert.deepEqual(partitions[`${scene.topic}/0`]?.lost, [jump]);
}

/** Stops the service; every one of `produced` records of partition 0 is there once, but for so many lost ones. */
export async function assertStored(
  scene: Scene,
  service: ServiceProcess,
  { produced, lost }: { readonly produced: number; readonly lost: number },
): Promise<void> {
  await scene.waitUntilCommitted();
  assert.deepEqual(await service.stop(), { code: 0, signal: null }, service.log);
  const { duplicated, altered, unordered, torn, ...found } = await checkExactness(scene.directory, [
    produced,
  ]);
  assert.deepEqual({ duplicated, altered, unordered, torn, lost: found.lost }, { ...EXACT, lost });
  assert.deepEqual((await verify(scene.directory)).problems, []);
}
