/**
 * A small ext4 file system in a file. A copy of the file while it is mounted is what a power loss at that
 * moment leaves on the disk: what the kernel still held in memory is missing from it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { commandIsThere, isRoot, mustRun } from './system-command.ts';

/** Sparse, so that only what is used takes room. */
const SIZE = '192M';
const COPY_ATTEMPTS = 20;
/** The exit code of e2fsck below which the file system is in order, repaired or not. */
const REPAIRED = 1;

interface Mounted {
  readonly device: string;
  readonly mountPoint: string;
  unmount(): void;
}

export class LoopImage {
  readonly mountPoint: string;
  readonly #directory: string;
  readonly #file: string;
  readonly #device: string;
  #copies = 0;

  private constructor(context: TestContext, directory: string) {
    this.#directory = directory;
    this.#file = join(directory, 'image');
    mustRun('truncate', '-s', SIZE, this.#file);
    mustRun('mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', this.#file);
    const { device, mountPoint, unmount } = mountImage(this.#file);
    context.after(unmount);
    this.#device = device;
    this.mountPoint = mountPoint;
  }

  /** @returns undefined where file systems cannot be mounted: the test is skipped */
  static create(context: TestContext): LoopImage | undefined {
    if (!isRoot() || !commandIsThere('mkfs.ext4', ['e2fsprogs'])) {
      context.skip('a file system of its own needs root and mkfs.ext4');
      return undefined;
    }
    const directory = mkdtempSync(join(tmpdir(), 'power-loss-'));
    context.after(() => rmSync(directory, { recursive: true, force: true }));
    try {
      return new LoopImage(context, directory);
    } catch (error) {
      context.skip(`loop devices are not available: ${String(error)}`);
      return undefined;
    }
  }

  /**
   * Copies the disk as it is. The writers must stand still; should the kernel write something meanwhile,
   * the copy would mix two moments and is taken again.
   * @returns the path of the copy, for `withRecovered`
   */
  copy(): string {
    this.#copies += 1;
    const copy = join(this.#directory, `copy-${this.#copies}`);
    for (let attempt = 0; attempt < COPY_ATTEMPTS; attempt += 1) {
      const before = this.#activity();
      mustRun('cp', '--sparse=always', this.#file, copy);
      if (this.#activity() === before) return copy;
    }
    throw new Error(`${this.#file} never stood still`);
  }

  /** Brings a copy up as after a power loss, journal and all, mounts it for `work`, and removes it. */
  async withRecovered<T>(copy: string, work: (mountPoint: string) => Promise<T>): Promise<T> {
    mustRun('sh', '-c', `e2fsck -p "$0" > /dev/null || [ $? -le ${REPAIRED} ]`, copy);
    const { mountPoint, unmount } = mountImage(copy);
    try {
      return await work(mountPoint);
    } finally {
      unmount();
      rmSync(copy);
    }
  }

  /** Changes whenever something is written to the device, or is on its way to it. */
  #activity(): string {
    const block = join('/sys/block', basename(this.#device));
    return readFileSync(join(block, 'stat'), 'utf8') + readFileSync(join(block, 'inflight'), 'utf8');
  }
}

function mountImage(file: string): Mounted {
  const mountPoint = mkdtempSync(join(tmpdir(), 'mounted-'));
  const device = mustRun('losetup', '--find', '--show', file);
  const unmount = (): void => {
    // Lazily, since a service that a failed test left behind may still be at work in it.
    mustRun('umount', '--lazy', mountPoint);
    mustRun('losetup', '--detach', device);
    rmSync(mountPoint, { recursive: true });
  };
  try {
    mustRun('mount', device, mountPoint);
  } catch (error) {
    mustRun('losetup', '--detach', device);
    throw error;
  }
  return { device, mountPoint, unmount };
}
