import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Machine, type MachineSource, readMachine } from '../../src/config/machine.ts';

const MIB = 1024 ** 2;
const UNLIMITED_V1 = '9223372036854771712';

type Files = Readonly<Record<string, string>>;

function machineWith(files: Files, more: Partial<MachineSource> = {}): Machine {
  return readMachine({
    read: (path) => files[path],
    cores: 16,
    totalMemoryBytes: 64 * 1024 * MIB,
    constrainedMemoryBytes: 0,
    ...more,
  });
}

const WHOLE: Machine = { cores: 16, memoryBytes: 64 * 1024 * MIB, memoryOwner: 'machine' };

const CASES: readonly (readonly [string, Files, Partial<Machine>])[] = [
  ['no cgroups', {}, {}],
  [
    'version 2, in a container',
    {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/memory.max': `${512 * MIB}\n`,
      '/sys/fs/cgroup/cpu.max': '150000 100000\n',
    },
    { cores: 1, memoryBytes: 512 * MIB, memoryOwner: 'container' },
  ],
  [
    'version 2, limits of a parent group',
    {
      '/proc/self/cgroup': '0::/system.slice/log.service\n',
      '/sys/fs/cgroup/system.slice/log.service/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/log.service/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/system.slice/memory.max': `${300 * MIB}\n`,
      '/sys/fs/cgroup/system.slice/cpu.max': '400000 100000\n',
    },
    { cores: 4, memoryBytes: 300 * MIB, memoryOwner: 'container' },
  ],
  [
    'version 2, less than a core',
    { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '20000 100000\n' },
    { cores: 1 },
  ],
  [
    'version 1, the path of the container not visible inside',
    {
      '/proc/self/cgroup': '4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${256 * MIB}\n`,
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '300000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    },
    { cores: 3, memoryBytes: 256 * MIB, memoryOwner: 'container' },
  ],
  [
    'version 1, a group without limits',
    {
      '/proc/self/cgroup': '4:memory:/a\n1:cpu:/\n',
      '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': `${UNLIMITED_V1}\n`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${UNLIMITED_V1}\n`,
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    {},
  ],
  [
    'garbage',
    { '/proc/self/cgroup': 'x', '/sys/fs/cgroup/memory.max': '', '/sys/fs/cgroup/cpu.max': '0 0' },
    {},
  ],
];

for (const [what, files, expected] of CASES) {
  test(`${what}: ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(machineWith(files), { ...WHOLE, ...expected });
  });
}

test('what Node knows of a limit counts too, unless it is more than there is', () => {
  assert.equal(machineWith({}, { constrainedMemoryBytes: 100 * MIB }).memoryBytes, 100 * MIB);
  assert.deepEqual(machineWith({}, { constrainedMemoryBytes: 2 ** 64 }), WHOLE);
});

test('this machine has some of both', () => {
  const { cores, memoryBytes } = readMachine();
  assert.ok(cores >= 1 && memoryBytes > 100 * MIB);
});
