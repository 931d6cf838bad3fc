/** More workers than this only add memory: the main thread and the disk are the limit long before. */
const MAX_AUTO_WORKERS = 8;

/**
 * The number of transform workers for `transform.workers`: a given number as it is; `auto` takes every core
 * of a machine with one or two, and elsewhere leaves one to the main and writer threads.
 */
export function resolveWorkers(setting: number | 'auto', cores: number): number {
  if (setting !== 'auto') return setting;
  return cores <= 2 ? Math.max(1, cores) : Math.min(cores - 1, MAX_AUTO_WORKERS);
}
