/**
 * Lets a test see, delay or fail every call to the file system that the writer makes, and copy the
 * files aside just before it: what a process that is killed there leaves behind.
 *
 * It must be loaded before the code under test, which keeps one of the functions for itself.
 */
import fs from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Called before each call with its name and first argument (a path or a descriptor). What it throws
 * fails the call. A promise delays an asynchronous call; a number makes `writevSync` write so many bytes.
 */
export type FileSystemHook = (call: string, target: unknown) => unknown;

let hook: FileSystemHook | undefined;
let inside = false;

/** Installs the hook; returns a function that takes it away again. */
export function hookFileSystem(next: FileSystemHook): () => void {
  hook = next;
  return () => {
    hook = undefined;
  };
}

/** An error as the operating system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

function ask(call: string, target: unknown): unknown {
  if (hook === undefined || inside) return undefined;
  inside = true;
  try {
    return hook(call, target);
  } finally {
    inside = false;
  }
}

function watched<A extends unknown[], R>(call: string, original: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    ask(call, args[0]);
    return original(...args);
  };
}

function watchedLater<A extends unknown[], R>(
  call: string,
  target: (args: A) => unknown,
  original: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    await ask(call, target(args));
    return original(...args);
  };
}

function watchedWritev(original: typeof fs.writevSync): typeof fs.writevSync {
  return (descriptor, buffers) => {
    const limit = ask('writevSync', descriptor);
    if (typeof limit !== 'number') return original(descriptor, buffers);
    const bytes = Buffer.concat(buffers as readonly Uint8Array[]).subarray(0, limit);
    return bytes.length === 0 ? 0 : fs.writeSync(descriptor, bytes);
  };
}

function watchedFdatasync(
  original: typeof fs.fdatasync,
): (descriptor: number, done: (error: NodeJS.ErrnoException | null) => void) => void {
  return (descriptor, done) => {
    Promise.resolve()
      .then(() => ask('fdatasync', descriptor))
      .then(() => original(descriptor, done))
      .catch(done);
  };
}

function watchedOpen(original: typeof promises.open): typeof promises.open {
  return async (path, ...rest) => {
    await ask('open', path);
    const handle: FileHandle = await original(path, ...rest);
    const sync = handle.sync.bind(handle);
    const writeFile = handle.writeFile.bind(handle);
    return Object.assign(handle, {
      sync: watchedLater('sync', () => path, sync),
      writeFile: watchedLater('writeFile', () => path, writeFile),
    });
  };
}

Object.assign(fs, {
  openSync: watched('openSync', fs.openSync),
  closeSync: watched('closeSync', fs.closeSync),
  fsyncSync: watched('fsyncSync', fs.fsyncSync),
  ftruncateSync: watched('ftruncateSync', fs.ftruncateSync),
  renameSync: watched('renameSync', fs.renameSync),
  rmSync: watched('rmSync', fs.rmSync),
  rmdirSync: watched('rmdirSync', fs.rmdirSync),
  mkdirSync: watched('mkdirSync', fs.mkdirSync),
  writeFileSync: watched('writeFileSync', fs.writeFileSync),
  writevSync: watchedWritev(fs.writevSync),
  fdatasync: watchedFdatasync(fs.fdatasync),
});
Object.assign(promises, {
  open: watchedOpen(promises.open),
  rm: watchedLater('rm', (args: Parameters<typeof promises.rm>) => args[0], promises.rm),
  rename: watchedLater('rename', (args: Parameters<typeof promises.rename>) => args[0], promises.rename),
});
syncBuiltinESMExports();
