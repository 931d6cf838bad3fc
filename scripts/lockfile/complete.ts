/**
 * Packages with native code list one optional package per platform. npm writes into the lock file only
 * those that the registry in use serves, and "npm ci" then refuses the file for the missing rest. This
 * adds an entry for each of them; npm never downloads a package of a foreign platform.
 */

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}

export interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];
const C_LIBRARIES: Readonly<Record<string, string>> = { gnu: 'glibc', musl: 'musl' };

/** Optional packages that a locked package wants and the file lacks, by the path of their entry. */
export function missingOptionalPackages(lockfile: Lockfile): Map<string, LockedPackage> {
  const missing = new Map<string, LockedPackage>();
  for (const [path, { dev, optionalDependencies = {} }] of Object.entries(lockfile.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isLocked(lockfile, path, name)) continue;
      const entry: LockedPackage = { version, ...(dev === true ? { dev } : {}), optional: true };
      missing.set(`node_modules/${name}`, { ...entry, ...platformOf(name) });
    }
  }
  return missing;
}

/** The lock file with the missing entries, sorted as npm sorts them. */
export function completed(lockfile: Lockfile): Lockfile {
  const packages = { ...lockfile.packages, ...Object.fromEntries(missingOptionalPackages(lockfile)) };
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...lockfile, packages: Object.fromEntries(sorted) };
}

/** Whether Node's resolution from the package at `path` finds `name` in the lock file. */
function isLocked(lockfile: Lockfile, path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (`${from === '' ? '' : `${from}/`}node_modules/${name}` in lockfile.packages) return true;
    if (from === '') return false;
  }
}

/** The platform that the name of a package says, such as `@scope/tool-linux-x64-musl`. */
function platformOf(name: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) {
    throw new Error(`package-lock.json lacks ${name}, and its name does not say for which platform it is`);
  }
  const libc = os === 'linux' ? C_LIBRARIES[words.at(-1) ?? ''] : undefined;
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) };
}
