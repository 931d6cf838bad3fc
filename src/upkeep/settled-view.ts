/**
 * The files of instances as far as nobody will take anything back.
 *
 * The newest checkpoint can hold records that Kafka has not acknowledged; if another instance gets them,
 * they are cut out again. Whoever passes records on waits until Kafka has taken what was there when it
 * came. An idle service writes no further checkpoint that would say so, and a stopped one neither: after
 * SETTLE_MS without a change the newest counts, unless the files of another instance disprove it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { SETTLE_MS } from '../core/limits.ts';
import { effectiveCheckpoints } from '../storage/coverage.ts';
import { type InstanceDirectory, instanceDirectories } from '../storage/instances.ts';
import { type FrozenFiles, type FrozenView, freeze } from './frozen-view.ts';

/** An instance, and the files of it that count. */
export interface Subject extends InstanceDirectory {
  readonly files: FrozenFiles;
}

export interface SubjectView {
  readonly subjects: readonly Subject[];
  close(): void;
}

const TRY_AGAIN_MS = 100;

/** The instances below a root, or the root itself when none has started there. */
export function instancesOf(root: string): InstanceDirectory[] {
  const found = instanceDirectories(root);
  return found.length > 0 ? found : [{ name: root, directory: root }];
}

/** For each instance the newest files, unless those of another instance disprove them. */
export function subjectsOf(instances: readonly InstanceDirectory[], views: readonly FrozenView[]): Subject[] {
  const effective = effectiveCheckpoints(
    views.map(({ newest, acknowledged }) => ({
      newest: newest.checkpoint,
      acknowledged: acknowledged?.checkpoint,
    })),
  );
  return instances.flatMap((instance, index) => {
    const view = views[index];
    if (view === undefined) return [];
    const { newest, acknowledged } = view;
    const isNewest = acknowledged === undefined || effective[index] === newest.checkpoint;
    return [{ ...instance, files: isNewest ? newest : acknowledged }];
  });
}

/** Holds the newest files of all instances still. @throws ServiceError as `freeze` */
export async function newestView(instances: readonly InstanceDirectory[]): Promise<SubjectView> {
  const views = await freezeAll(instances);
  return { subjects: subjectsOf(instances, views), close: () => closeAll(views) };
}

/**
 * Holds the files still as far as Kafka has acknowledged them, waiting for what was there at the call.
 * @param onWait called again and again while it waits
 * @throws ServiceError as `freeze`
 */
export async function settledView(
  instances: readonly InstanceDirectory[],
  clock: Clock,
  settleMs = SETTLE_MS,
  onWait: () => void = () => undefined,
): Promise<SubjectView> {
  const giveUpAt = clock.monotonic() + settleMs;
  let wanted: number[] | undefined;
  for (;;) {
    const views = await freezeAll(instances);
    const newest = views.map((view) => view.newest.checkpoint.sequence);
    wanted ??= newest;
    const isLate = clock.monotonic() >= giveUpAt;
    let isReached = true;
    const subjects = subjectsOf(instances, views).map((subject, index): Subject => {
      const { newest: latest, acknowledged = latest } = views[index] as FrozenView;
      const isUnchanged = isLate && latest.checkpoint.sequence === wanted?.[index];
      if (isUnchanged || isOld(latest, clock, settleMs)) return subject;
      if (acknowledged.checkpoint.sequence < (wanted?.[index] ?? 0)) isReached = false;
      return { ...subject, files: acknowledged };
    });
    if (isLate || isReached) return { subjects, close: () => closeAll(views) };
    closeAll(views);
    onWait();
    await sleep(TRY_AGAIN_MS);
  }
}

/** What is settled of one directory at this moment, without waiting and without looking at others. */
export async function settledFilesOf(
  directory: string,
  clock: Clock,
  settleMs: number,
): Promise<{ readonly files: FrozenFiles; close(): void }> {
  const view = await freeze(directory);
  const { newest, acknowledged = newest } = view;
  return { files: isOld(newest, clock, settleMs) ? newest : acknowledged, close: () => view.close() };
}

function isOld({ checkpoint }: FrozenFiles, clock: Clock, settleMs: number): boolean {
  return clock.now() - Date.parse(checkpoint.written_at) >= settleMs;
}

async function freezeAll(instances: readonly InstanceDirectory[]): Promise<FrozenView[]> {
  const views: FrozenView[] = [];
  try {
    for (const { directory } of instances) views.push(await freeze(directory));
    return views;
  } catch (error) {
    closeAll(views);
    throw error;
  }
}

function closeAll(views: readonly FrozenView[]): void {
  for (const view of views) view.close();
}
