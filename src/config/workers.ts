/** More workers than this only add memory: the main thread and the disk are the limit long before. */
const MAX_AUTO_WORKERS = 8;

/**
 * The number of transform workers for `transform.workers`: a given number as it is; `auto` takes every core
 * of a machine with one or two, and elsewhere leaves one to the main and writer threads, as far as the
 * memory suffices.
 * @param cores that the process may use
 * @param fits whether the memory suffices for so many workers
 */
export function resolveWorkers(
  setting: number | 'auto',
  cores: number,
  fits: (workers: number) => boolean,
): number {
  if (setting !== 'auto') return setting;
  let workers = cores <= 2 ? Math.max(1, cores) : Math.min(cores - 1, MAX_AUTO_WORKERS);
  while (workers > 1 && !fits(workers)) workers -= 1;
  return workers;
}
