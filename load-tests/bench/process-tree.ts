/** Resident memory and processor time of a process and everything it started, read from /proc (Linux). */
import { readdir, readFile } from 'node:fs/promises';

/** Kernel clock ticks per second in /proc/PID/stat: 100 on every Linux that Node supports. */
const TICKS_PER_SECOND = 100;
const CHILDREN_CPU_FIELDS = [13, 14] as const;
const STATE_FIELD = 0;

/** Highest resident memory so far, summed over the living processes of the tree. Processes that ended count as 0. */
export async function peakResidentBytes(pid: number): Promise<number> {
  let bytes = 0;
  for (const member of await membersOf(pid)) {
    const status = await readOrEmpty(`/proc/${member}/status`);
    bytes += Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }
  return bytes;
}

/** Resident memory at the moment, summed over the living processes of the tree. */
export async function residentBytes(pid: number): Promise<number> {
  let bytes = 0;
  for (const member of await membersOf(pid)) {
    const status = await readOrEmpty(`/proc/${member}/status`);
    bytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }
  return bytes;
}

/**
 * User and system time, in seconds, of all children of this process that have ended, with what they
 * themselves started and waited for. The difference around a child's life is what that child used, to
 * its last thread, which no sample taken while it runs can promise.
 */
export async function cpuSecondsOfEndedChildren(): Promise<number> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  // The second field, the command, may hold spaces and parentheses; the others begin after the last one.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(STATE_FIELD);
  return CHILDREN_CPU_FIELDS.reduce((sum, field) => sum + Number(fields[field]), 0) / TICKS_PER_SECOND;
}

async function membersOf(pid: number): Promise<number[]> {
  const members = [pid];
  for (const thread of await threadsOf(pid)) {
    const children = await readOrEmpty(`/proc/${pid}/task/${thread}/children`);
    for (const child of children.split(' ').filter((text) => text !== '')) {
      members.push(...(await membersOf(Number(child))));
    }
  }
  return members;
}

async function threadsOf(pid: number): Promise<string[]> {
  try {
    return await readdir(`/proc/${pid}/task`);
  } catch {
    return []; // the process has ended
  }
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return ''; // the process has ended
  }
}
