/**
 * What the process may use of the machine: a container's limits where there are any. Node's own figures
 * see neither a CPU quota (cgroup v2 `cpu.max`, v1 `cpu.cfs_quota_us`) nor the limits of a parent group.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

export interface Machine {
  /** Whole cores that the process can keep busy, at least 1. */
  readonly cores: number;
  /** Bytes above which the process is killed, or the machine swaps. */
  readonly memoryBytes: number;
  /** Who sets the limit on memory. */
  readonly memoryOwner: 'container' | 'machine';
}

/** Where the figures come from; tests play other machines. */
export interface MachineSource {
  /** The content of a file, undefined when it cannot be read. */
  readonly read: (path: string) => string | undefined;
  readonly cores: number;
  readonly totalMemoryBytes: number;
  /** What Node knows of a limit: 0 or more than there is when there is none. */
  readonly constrainedMemoryBytes: number;
}

const CGROUPS = '/sys/fs/cgroup';

/** The limits of this process. */
export function readMachine(source: MachineSource = thisMachine()): Machine {
  const limits = [source.constrainedMemoryBytes, ...memoryLimits(source)].filter(
    (bytes) => bytes > 0 && bytes < source.totalMemoryBytes,
  );
  const cores = Math.min(source.cores, ...cpuQuotas(source));
  return {
    // A part of a core more would be taken away by throttling, just when there is most to do.
    cores: Math.max(1, Math.floor(cores)),
    memoryBytes: Math.min(source.totalMemoryBytes, ...limits),
    memoryOwner: limits.length > 0 ? 'container' : 'machine',
  };
}

function thisMachine(): MachineSource {
  return {
    read(path) {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        // Not this kind of system, or no such group: then there is no such limit.
        return undefined;
      }
    },
    cores: availableParallelism(),
    totalMemoryBytes: totalmem(),
    constrainedMemoryBytes: process.constrainedMemory(),
  };
}

function memoryLimits(source: MachineSource): number[] {
  const v2 = groups(source, '', '').map((group) => numberIn(source, `${group}/memory.max`));
  const v1 = groups(source, 'memory', 'memory').map((group) =>
    numberIn(source, `${group}/memory.limit_in_bytes`),
  );
  return [...v2, ...v1].filter((bytes) => bytes !== undefined);
}

/** Cores, in parts, that each group of the process may use. */
function cpuQuotas(source: MachineSource): number[] {
  const v2 = groups(source, '', '').map((group) => {
    const [quota = '', period = ''] = (source.read(`${group}/cpu.max`) ?? '').trim().split(' ');
    return Number(quota) / Number(period);
  });
  const v1 = ['cpu', 'cpu,cpuacct'].flatMap((folder) =>
    groups(source, 'cpu', folder).map((group) => {
      const quota = numberIn(source, `${group}/cpu.cfs_quota_us`) ?? -1;
      return quota / (numberIn(source, `${group}/cpu.cfs_period_us`) ?? 0);
    }),
  );
  // "max", -1 and missing files are no limits.
  return [...v2, ...v1].filter((cores) => Number.isFinite(cores) && cores > 0);
}

/**
 * The folders of the process's own group and of all above it, whose limits hold too. A container that
 * does not see its path from outside has its limits in the first folder.
 * @param controller "" for cgroup v2
 */
function groups(source: MachineSource, controller: string, folder: string): string[] {
  const line = (source.read('/proc/self/cgroup') ?? '')
    .split('\n')
    .map((text) => text.split(':'))
    .find(([, controllers = '']) => controllers.split(',').includes(controller));
  const names = (line?.[2] ?? '/').split('/').filter((name) => name !== '');
  const root = folder === '' ? CGROUPS : `${CGROUPS}/${folder}`;
  return Array.from({ length: names.length + 1 }, (_, depth) => [root, ...names.slice(0, depth)].join('/'));
}

function numberIn(source: MachineSource, path: string): number | undefined {
  const text = source.read(path)?.trim() ?? '';
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}
