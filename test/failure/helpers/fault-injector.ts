/**
 * Makes the file system below one directory fail for one process: the N-th call kills it, fails once,
 * fails from then on, or every call takes long. The work is done by shim/faults.c, loaded into the
 * process; this side writes its commands and reads what it saw.
 *
 * Calls are counted in the order in which they happen, over all threads. They depend on time (flushes,
 * checkpoints), so the N-th call of one run need not be the N-th of another: a run says by `calls` what it
 * was that failed.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { shimLibrary } from './shim-library.ts';

/** As in shim/faults.c. */
const KINDS = {
  open: 1,
  write: 2,
  sync: 4,
  rename: 8,
  link: 16,
  unlink: 32,
  truncate: 64,
  mkdir: 128,
} as const;
const ACTIONS = { kill: 1, failOnce: 2, failOn: 3 } as const;

export type CallKind = keyof typeof KINDS;
export const ALL_KINDS = Object.keys(KINDS) as CallKind[];
export type FaultError = 'EIO' | 'ENOSPC' | 'EROFS' | 'EDQUOT' | 'EMFILE';

export interface Fault {
  /** Which of the counted calls, from 1. */
  readonly at: number;
  /** A kill comes before the call; in a write, after half of it. `failOn` fails all from then on. */
  readonly action: keyof typeof ACTIONS;
  readonly error?: FaultError;
  /** Which calls count; all by default. */
  readonly kinds?: readonly CallKind[];
}

export interface Call {
  /** 0 when it was not counted. */
  readonly number: number;
  readonly name: string;
  readonly done: 'ok' | 'failed' | 'killed';
  readonly path: string;
}

/** Positions of the 32-bit integers in the control file, as in shim/faults.c. */
const CONTROL = { count: 0, at: 1, action: 2, error: 3, kinds: 4, delayMs: 5, delayedKinds: 6 } as const;
const CONTROL_BYTES = 64;
const INT = 4;

/** The library for `FaultInjector`; undefined when the test is skipped. */
export function faultLibrary(context: TestContext): string | undefined {
  return shimLibrary(context, 'faults');
}

export class FaultInjector {
  readonly #library: string;
  readonly #watched: string;
  readonly #control: string;
  readonly #log: string;
  readonly #descriptor: number;

  /** @param watched the output directory; whatever lies below it is counted and can fail */
  constructor(context: TestContext, library: string, watched: string) {
    const directory = mkdtempSync(join(tmpdir(), 'faults-'));
    this.#library = library;
    this.#watched = watched;
    this.#control = join(directory, 'control');
    this.#log = join(directory, 'calls');
    closeSync(openSync(this.#log, 'w'));
    this.#descriptor = openSync(this.#control, 'w+');
    writeSync(this.#descriptor, Buffer.alloc(CONTROL_BYTES));
    this.#set(CONTROL.kinds, maskOf(ALL_KINDS));
    context.after(() => {
      closeSync(this.#descriptor);
      rmSync(directory, { recursive: true, force: true });
    });
  }

  /** What the process needs to be under control. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: this.#library,
      FAULT_DIRECTORY: this.#watched,
      FAULT_CONTROL: this.#control,
      FAULT_LOG: this.#log,
    };
  }

  /** Arms a fault; counting begins anew. */
  arm({ at, action, error, kinds = ALL_KINDS }: Fault): void {
    this.heal();
    this.#set(CONTROL.kinds, maskOf(kinds));
    this.#set(CONTROL.error, error === undefined ? 0 : constants.errno[error]);
    this.#set(CONTROL.at, at);
    this.#set(CONTROL.count, 0);
    this.#set(CONTROL.action, ACTIONS[action]);
  }

  /** From now on every call succeeds. */
  heal(): void {
    this.#set(CONTROL.action, 0);
  }

  /** Every call of these kinds takes so much longer; 0 ends it. */
  delay(delayMs: number, kinds: readonly CallKind[]): void {
    this.#set(CONTROL.delayedKinds, maskOf(kinds));
    this.#set(CONTROL.delayMs, delayMs);
  }

  /** Calls counted since the last `arm`. */
  get count(): number {
    const value = Buffer.alloc(INT);
    readSync(this.#descriptor, value, 0, INT, CONTROL.count * INT);
    return value.readInt32LE();
  }

  /** Every call so far, of all processes that ran under this injector. */
  calls(): Call[] {
    return readFileSync(this.#log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(parseCall);
  }

  /** The calls that were made to fail or that ended the process. */
  faulted(): Call[] {
    return this.calls().filter(({ done }) => done !== 'ok');
  }

  #set(position: number, value: number): void {
    const bytes = Buffer.alloc(INT);
    bytes.writeInt32LE(value);
    writeSync(this.#descriptor, bytes, 0, INT, position * INT);
  }
}

/** The kind that a call is counted as. @param name as in `Call` */
export function kindOf(name: string): CallKind {
  return name === 'fsync' || name === 'fdatasync' ? 'sync' : (name as CallKind);
}

function maskOf(kinds: readonly CallKind[]): number {
  return kinds.reduce((mask, kind) => mask | KINDS[kind], 0);
}

function parseCall(line: string): Call {
  const [, number, name = '', done, path = ''] = /^(\d+) (\w+) (ok|failed|killed) (.*)$/.exec(line) ?? [];
  if (done === undefined) throw new Error(`not a line of faults.c: ${line}`);
  return { number: Number(number), name, done: done as Call['done'], path };
}
