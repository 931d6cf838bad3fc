/**
 * A disk that forgets at a power loss whatever nobody synced: bytes of a file since its last fsync, names
 * since the last fsync of their directory. Real file systems keep more of it (ext4 writes the names
 * before a file along with the file), so that a promise which POSIX does not make would go unnoticed on
 * them. shim/synced.c keeps what was synced.
 *
 * The model knows nothing of the order of unsynced changes, so it is asked at quiet moments only.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export class ForgetfulDisk {
  readonly #library: string;
  readonly #directory: string;
  readonly #copies: string;

  /**
   * @param library from `shimLibrary`
   * @param directory the output directory, which exists
   */
  constructor(context: TestContext, library: string, directory: string) {
    this.#library = library;
    this.#directory = directory;
    this.#copies = mkdtempSync(join(tmpdir(), 'synced-'));
    context.after(() => rmSync(this.#copies, { recursive: true, force: true }));
  }

  /** What the process needs to write to this disk. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      SYNCED_DIRECTORY: this.#directory,
      SYNCED_COPIES: this.#copies,
    };
  }

  /** Leaves in `target`, which is empty, what a power loss would leave now. */
  afterPowerLoss(target: string): void {
    const { ino, birthtimeNs } = statSync(this.#directory, { bigint: true });
    this.#restoreNames(`${ino}-${birthtimeNs}`, this.#directory, target);
  }

  /** @param living where the directory is while the power is on; tells files from directories */
  #restoreNames(key: string, living: string, target: string): void {
    if (!existsSync(join(this.#copies, key))) return;
    for (const line of readFileSync(join(this.#copies, key), 'utf8').split('\n')) {
      const [, child, name] = /^(\S+) (.+)$/.exec(line) ?? [];
      if (child !== undefined && name !== undefined)
        this.#restore(child, join(living, name), join(target, name));
    }
  }

  #restore(key: string, living: string, target: string): void {
    if (statSync(living, { throwIfNoEntry: false })?.isDirectory() === true) {
      mkdirSync(target);
      this.#restoreNames(key, living, target);
    } else if (existsSync(join(this.#copies, key))) {
      copyFileSync(join(this.#copies, key), target);
    } else {
      writeFileSync(target, '');
    }
  }
}
