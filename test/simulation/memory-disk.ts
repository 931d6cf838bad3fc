/**
 * A disk in memory that keeps what a real one promises and no more (POSIX, as ext4 and XFS keep it):
 * - the bytes of a file survive a power loss once it was fsynced, those after it perhaps, up to some point;
 * - names (created, renamed, removed) survive once a directory was fsynced, as the journal is written in
 *   order; later ones perhaps, in order, up to some point;
 * - after an fsync that failed, the bytes count as written and are not: the next fsync succeeds all the same.
 *
 * A process that is killed leaves everything as it was.
 */
import type { Random } from '../../src/generate/random.ts';

export interface FileNode {
  readonly kind: 'file';
  data: Buffer;
  /** What a power loss leaves for certain. */
  durable: Buffer;
  /** Whether it was written or cut since the last fsync. */
  isDirty: boolean;
  /** Ranges that an fsync lost. */
  holes: readonly (readonly [from: number, to: number])[];
}

export interface DirectoryNode {
  readonly kind: 'directory';
  entries: Map<string, DiskNode>;
  durable: Map<string, DiskNode>;
}

export type DiskNode = FileNode | DirectoryNode;

/** A change of names that is not durable yet. */
type JournalEntry = (durable: (directory: DirectoryNode) => Map<string, DiskNode>) => void;

export class MemoryDisk {
  readonly root: DirectoryNode = newDirectory();
  readonly #directories: DirectoryNode[] = [this.root];
  readonly #files: FileNode[] = [];
  #journal: JournalEntry[] = [];

  /** The node at a path below the root, by its names. */
  find(names: readonly string[], view: 'entries' | 'durable' = 'entries'): DiskNode | undefined {
    let node: DiskNode | undefined = this.root;
    for (const name of names) {
      if (node?.kind !== 'directory') return undefined;
      node = node[view].get(name);
    }
    return node;
  }

  createFile(parent: DirectoryNode, name: string): FileNode {
    const file: FileNode = {
      kind: 'file',
      data: Buffer.alloc(0),
      durable: Buffer.alloc(0),
      isDirty: false,
      holes: [],
    };
    this.#files.push(file);
    this.#link(parent, name, file);
    return file;
  }

  createDirectory(parent: DirectoryNode, name: string): void {
    const directory = newDirectory();
    this.#directories.push(directory);
    this.#link(parent, name, directory);
  }

  remove(parent: DirectoryNode, name: string): void {
    this.#change((entries) => entries(parent).delete(name));
  }

  rename(from: DirectoryNode, fromName: string, to: DirectoryNode, toName: string, node: DiskNode): void {
    this.#change((entries) => {
      entries(from).delete(fromName);
      entries(to).set(toName, node);
    });
  }

  /** @param length what the file held when the fsync began; what came later is not promised */
  syncFile(file: FileNode, length = file.data.length): void {
    const durable = Buffer.from(file.data.subarray(0, length));
    punch(durable, file.holes);
    file.durable = durable;
    file.isDirty = file.data.length !== length;
  }

  /** The kernel drops the pages and calls them clean. */
  failSync(file: FileNode): void {
    const { data, durable } = file;
    if (data.length > durable.length) file.holes = [...file.holes, [durable.length, data.length]];
  }

  syncDirectory(): void {
    for (const entry of this.#journal.splice(0)) entry(({ durable }) => durable);
  }

  /** What a power loss leaves, chosen among everything that it may leave. */
  losePower(random: Random): void {
    const kept = random.chance(0.4) ? 0 : random.below(this.#journal.length + 1);
    for (const entry of this.#journal.slice(0, kept)) entry(({ durable }) => durable);
    this.#journal = [];
    for (const directory of this.#directories) directory.entries = new Map(directory.durable);
    for (const file of this.#files) loseUnsynced(file, random);
  }

  #link(parent: DirectoryNode, name: string, node: DiskNode): void {
    this.#change((entries) => entries(parent).set(name, node));
  }

  #change(entry: JournalEntry): void {
    entry(({ entries }) => entries);
    this.#journal.push(entry);
  }
}

function newDirectory(): DirectoryNode {
  return { kind: 'directory', entries: new Map(), durable: new Map() };
}

function loseUnsynced(file: FileNode, random: Random): void {
  if (file.isDirty) {
    const { data, durable } = file;
    // Writes reach the disk in order here, up to any byte; a cut that was not synced may not have happened.
    if (data.length > durable.length && data.subarray(0, durable.length).equals(durable)) {
      const kept = random.chance(0.4) ? 0 : random.below(data.length - durable.length + 1);
      const rest = Buffer.from(data.subarray(0, durable.length + kept));
      punch(rest, file.holes);
      file.durable = rest;
    } else if (random.chance(0.5)) {
      file.durable = Buffer.from(data);
    }
  }
  file.data = Buffer.from(file.durable);
  file.isDirty = false;
  file.holes = [];
}

function punch(bytes: Buffer, holes: FileNode['holes']): void {
  for (const [from, to] of holes) bytes.fill(0, Math.min(from, bytes.length), Math.min(to, bytes.length));
}
