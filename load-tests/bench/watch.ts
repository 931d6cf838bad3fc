/** Waiting for what a measured child does to its files. */
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MeasuredChild } from './measured-child.ts';

export interface WatchLimits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly pollMs: number;
}

/**
 * Asks `check` again and again until it returns something other than null.
 * @throws Error when the child ends before, when the time is over, or on abort.
 */
export async function waitFor<T>(
  child: MeasuredChild,
  what: string,
  limits: WatchLimits,
  check: () => Promise<T | null>,
): Promise<T> {
  const deadlineMs = Date.now() + limits.timeoutMs;
  for (;;) {
    limits.signal.throwIfAborted();
    const ending = child.ending();
    const found = await check();
    if (found !== null) return found;
    if (ending !== null) throw new Error(`${what}: the process ${ending}\n${await child.logTail()}`);
    if (Date.now() > deadlineMs)
      throw new Error(`${what}: not within ${limits.timeoutMs / 1000} s\n${await child.logTail()}`);
    await sleep(limits.pollMs);
  }
}

/** Size and time of last change (ms since the epoch) of a file; size 0 while it does not exist. */
export async function fileState(
  path: string,
): Promise<{ readonly bytes: number; readonly changedMs: number }> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, changedMs: mtimeMs };
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')
      return { bytes: 0, changedMs: 0 };
    throw thrown;
  }
}

/** When the file had its first byte, in ms since the epoch. */
export async function firstByteMs(child: MeasuredChild, path: string, limits: WatchLimits): Promise<number> {
  return waitFor(child, `first byte of ${path}`, limits, async () =>
    (await fileState(path)).bytes > 0 ? Date.now() : null,
  );
}
