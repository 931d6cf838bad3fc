/** A wall clock of its own for one process, which the test moves while the process runs (shim/clock.c). */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export class WallClock {
  readonly #library: string;
  readonly #file: string;
  readonly #descriptor: number;

  /** @param library from `shimLibrary` */
  constructor(context: TestContext, library: string) {
    const directory = mkdtempSync(join(tmpdir(), 'clock-'));
    this.#library = library;
    this.#file = join(directory, 'shift');
    this.#descriptor = openSync(this.#file, 'w+');
    this.shift(0);
    context.after(() => {
      closeSync(this.#descriptor);
      rmSync(directory, { recursive: true, force: true });
    });
  }

  /** What the process needs to go by this clock. */
  get env(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, CLOCK_SHIFT: this.#file };
  }

  /** From now on the clock shows so many seconds more than the real one; negative: less. */
  shift(seconds: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    writeSync(this.#descriptor, bytes, 0, bytes.length, 0);
  }
}
