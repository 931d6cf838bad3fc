/**
 * Puts memory disks in the place of `node:fs`, for paths below `/simulated`: one disk per machine,
 * `/simulated/<machine>/...`. It must be loaded before the code under test, which keeps one of the functions
 * for itself.
 *
 * Every call can be made to fail; asynchronous ones take simulated time, and a process that is killed
 * meanwhile leaves them done or not done.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { DirectoryNode, DiskNode, FileNode, MemoryDisk } from './memory-disk.ts';

/** What the simulation decides for each call. */
export interface FileSystemControl {
  readonly disk: (machine: string) => MemoryDisk;
  /** Throws what the call is to fail with; a number limits the bytes of a write. */
  readonly before: (call: string, machine: string) => number | undefined;
  /** Does an effect after simulated time; settles as the effect does. */
  readonly later: <T>(effect: () => T) => Promise<T>;
}

interface Descriptor {
  readonly machine: string;
  readonly disk: MemoryDisk;
  readonly node: DiskNode;
}

interface Place extends Descriptor {
  readonly parent: DirectoryNode;
  readonly name: string;
}

const ROOT = '/simulated/';
/** Above every descriptor that the process has. */
const FIRST_DESCRIPTOR = 1_000_000;

let control: FileSystemControl | undefined;
let descriptors = new Map<number, Descriptor>();
let nextDescriptor = FIRST_DESCRIPTOR;

/** Begins a simulation; all descriptors of the one before are forgotten. */
export function simulateFileSystem(next: FileSystemControl): void {
  control = next;
  descriptors = new Map();
  nextDescriptor = FIRST_DESCRIPTOR;
}

export function simulatedDirectory(machine: string): string {
  return ROOT + machine;
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function controls(): FileSystemControl {
  if (control === undefined) throw new Error('no simulation runs');
  return control;
}

function isOurs(target: unknown): boolean {
  if (typeof target === 'number') return target >= FIRST_DESCRIPTOR;
  return `${String(target)}/`.startsWith(ROOT);
}

function locate(path: string): { machine: string; disk: MemoryDisk; names: string[] } {
  const [machine = '', ...names] = path
    .slice(ROOT.length)
    .split('/')
    .filter((name) => name !== '');
  return { machine, disk: controls().disk(machine), names };
}

function parentOf(path: string): { parent: DirectoryNode; name: string; machine: string; disk: MemoryDisk } {
  const { machine, disk, names } = locate(path);
  const parent = disk.find(names.slice(0, -1));
  if (parent?.kind !== 'directory') throw systemError('ENOENT');
  return { parent, name: names.at(-1) ?? '', machine, disk };
}

function nodeAt(path: string): Place {
  const { parent, name, machine, disk } = parentOf(path);
  const node = parent.entries.get(name);
  if (node === undefined) throw systemError('ENOENT');
  return { parent, name, machine, disk, node };
}

function descriptorOf(number: number): Descriptor {
  const found = descriptors.get(number);
  if (found === undefined) throw systemError('EBADF');
  return found;
}

function fileOf(number: number): FileNode {
  const { node } = descriptorOf(number);
  if (node.kind !== 'file') throw systemError('EISDIR');
  return node;
}

function openNow(path: string, flags: string): number {
  const { machine, disk, names } = locate(path);
  controls().before(flags === 'r' ? 'open' : 'open-write', machine);
  let node = disk.find(names);
  if (node === undefined) {
    if (flags.startsWith('r')) throw systemError('ENOENT');
    const { parent, name } = parentOf(path);
    node = disk.createFile(parent, name);
  }
  if (flags === 'w' && node.kind === 'file') resize(node, 0);
  nextDescriptor += 1;
  descriptors.set(nextDescriptor, { machine, disk, node });
  return nextDescriptor;
}

function resize(file: FileNode, length: number): void {
  if (file.data.length !== length) file.isDirty = true;
  file.data = file.data.subarray(0, length);
  // What is written there later is new.
  file.holes = file.holes
    .map(([from, to]) => [from, Math.min(to, length)] as const)
    .filter(([from, to]) => to > from);
}

function appendNow(number: number, bytes: Uint8Array): number {
  const limit = controls().before('write', descriptorOf(number).machine);
  const file = fileOf(number);
  const taken = limit === undefined ? bytes : bytes.subarray(0, Math.min(limit, bytes.length));
  file.data = Buffer.concat([file.data, taken]);
  file.isDirty = true;
  return taken.length;
}

/** The kernel holds the file until its fsync ends, even when the descriptor is closed meanwhile. */
function syncLater(number: number): Promise<void> {
  const descriptor = descriptorOf(number);
  const { node } = descriptor;
  const length = node.kind === 'file' ? node.data.length : 0;
  return controls().later(() => syncNow(descriptor, length));
}

function syncNow({ machine, disk, node }: Descriptor, length?: number): void {
  try {
    controls().before('sync', machine);
  } catch (error) {
    if (node.kind === 'file') disk.failSync(node);
    throw error;
  }
  if (node.kind === 'file') disk.syncFile(node, length);
  else disk.syncDirectory();
}

function renameNow(from: string, to: string): void {
  const source = nodeAt(from);
  controls().before('rename', source.machine);
  const target = parentOf(to);
  source.disk.rename(source.parent, source.name, target.parent, target.name, source.node);
}

function mkdirNow(path: string): void {
  const { parent, name, machine, disk } = parentOf(path);
  controls().before('mkdir', machine);
  if (parent.entries.has(name)) throw systemError('EEXIST');
  disk.createDirectory(parent, name);
}

/** The disk of each machine is mounted below a directory that no machine can lose. */
const DEVICES = { root: 1, machine: 2 } as const;

function statNow(path: string): { size: number; dev: number } | undefined {
  if (`${path}/` === ROOT) return { size: 0, dev: DEVICES.root };
  const { disk, names } = locate(path);
  const node = disk.find(names);
  if (node === undefined) return undefined;
  return { size: node.kind === 'file' ? node.data.length : 0, dev: DEVICES.machine };
}

function removeNow(path: string): void {
  const { disk, names, machine } = locate(path);
  if (disk.find(names) === undefined) return;
  controls().before('remove', machine);
  const { parent, name } = parentOf(path);
  disk.remove(parent, name);
}

function readNow(path: string): string {
  const { node } = nodeAt(path);
  if (node.kind !== 'file') throw systemError('EISDIR');
  return node.data.toString('utf8');
}

function readdirNow(path: string): string[] {
  const { disk, names } = locate(path);
  const node = disk.find(names);
  if (node?.kind !== 'directory') throw systemError('ENOENT');
  return [...node.entries.keys()];
}

/** A handle of `node:fs/promises`, as far as the code under test uses one. */
function handleOf(number: number) {
  const { later } = controls();
  return {
    writeFile: (text: string) =>
      later(() => {
        const bytes = Buffer.from(text);
        // A full disk leaves a torn file.
        if (appendNow(number, bytes) < bytes.length) throw systemError('ENOSPC');
      }),
    sync: () => syncLater(number),
    close: async () => {
      descriptors.delete(number);
    },
  };
}

type Call = (...args: never[]) => unknown;

/** The simulated call for our paths and descriptors, else the real one. */
function replace(module: object, name: string, simulated: Call): void {
  const original = Reflect.get(module, name) as Call;
  Reflect.set(module, name, (...args: never[]) => (isOurs(args[0]) ? simulated : original)(...args));
}

replace(fs, 'openSync', openNow);
replace(fs, 'closeSync', (number: number) => {
  if (!descriptors.delete(number)) throw systemError('EBADF');
});
replace(fs, 'fsyncSync', (number: number) => syncNow(descriptorOf(number)));
replace(fs, 'ftruncateSync', (number: number, length: number) => {
  controls().before('truncate', descriptorOf(number).machine);
  resize(fileOf(number), length);
});
replace(fs, 'renameSync', renameNow);
replace(fs, 'mkdirSync', mkdirNow);
replace(fs, 'statSync', statNow);
replace(fs, 'rmSync', removeNow);
replace(fs, 'readFileSync', readNow);
replace(fs, 'readdirSync', readdirNow);
replace(fs, 'writeFileSync', (number: number, text: string) => {
  const bytes = Buffer.from(text);
  if (appendNow(number, bytes) < bytes.length) throw systemError('ENOSPC');
});
replace(fs, 'writevSync', (number: number, parts: readonly Uint8Array[]) =>
  appendNow(number, Buffer.concat(parts)),
);
replace(fs, 'fdatasync', (number: number, done: (error: unknown) => void) => {
  syncLater(number).then(() => done(null), done);
});
replace(promises, 'open', async (path: string, flags: string) =>
  handleOf(await controls().later(() => openNow(path, flags))),
);
replace(promises, 'rename', (from: string, to: string) => controls().later(() => renameNow(from, to)));
syncBuiltinESMExports();
