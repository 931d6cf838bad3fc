/** What goes wrong with a disk: one call that fails, a disk that is full for a while, calls that take long. */
import type { Random } from '../../src/generate/random.ts';
import { systemError } from './memory-file-system.ts';

/** Calls that take room on the disk. */
const TAKING_ROOM: ReadonlySet<string> = new Set(['write', 'open-write', 'mkdir', 'rename']);

export class DiskFaults {
  /** Whether anything was done to the process that runs now. */
  wereInjected = false;
  isSlow = false;
  readonly #random: Random;
  #failNext: string | undefined;
  #failOn: string | undefined;
  #full: string | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Lets the next call, or the next fsync, fail. */
  failOnce(): void {
    this.#failNext = this.#random.pick(['EIO', 'EROFS', 'EMFILE', 'ENOSPC', 'EDQUOT']);
    this.#failOn = this.#random.pick(['sync', 'write', 'rename', 'open-write', 'any']);
  }

  fill(): void {
    this.#full = this.#random.pick(['ENOSPC', 'EDQUOT']);
  }

  heal(): void {
    this.#full = undefined;
    this.#failNext = undefined;
    this.isSlow = false;
  }

  /** @returns how many bytes of a write are taken */
  before(call: string): number | undefined {
    const code = this.#failNext;
    if (code !== undefined && (this.#failOn === 'any' || this.#failOn === call)) {
      this.#failNext = undefined;
      this.wereInjected = true;
      throw systemError(code);
    }
    if (this.#full !== undefined && TAKING_ROOM.has(call)) {
      this.wereInjected = true;
      if (call === 'write' && this.#random.chance(0.3)) return 1 + this.#random.below(40);
      throw systemError(this.#full);
    }
    return undefined;
  }
}
