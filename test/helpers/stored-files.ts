/**
 * Everything that was stored of one kind of file, by instance: the closed segments in order, then the
 * active file, each as far as the checkpoint that counts goes.
 */
import { fstatSync, readFileSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { LogFile } from '../../src/core/files.ts';
import { effectiveCheckpoints } from '../../src/storage/coverage.ts';
import { instanceDirectories } from '../../src/storage/instances.ts';
import { SEGMENT_SUFFIX } from '../../src/storage/layout.ts';
import { type ClosedSegment, closedSegments } from '../../src/storage/recovery.ts';
import { type FrozenFiles, freeze } from '../../src/upkeep/frozen-view.ts';

interface Instance {
  readonly directory: string;
  readonly files: FrozenFiles;
}

/** What the instances below a root hold, held still; to be closed after use. */
export class StoredFiles {
  readonly #instances: Instance[] = [];
  readonly #close: (() => void)[] = [];

  static async open(root: string): Promise<StoredFiles> {
    const stored = new StoredFiles();
    const directories = instanceDirectories(root);
    const views = await Promise.all(directories.map(({ directory }) => freeze(directory)));
    const effective = effectiveCheckpoints(
      views.map(({ newest, acknowledged }) => ({
        newest: newest.checkpoint,
        acknowledged: acknowledged?.checkpoint,
      })),
    );
    views.forEach((view, index) => {
      const { newest, acknowledged = newest } = view;
      const files = effective[index] === newest.checkpoint ? newest : acknowledged;
      stored.#instances.push({ directory: directories[index]?.directory ?? root, files });
      stored.#close.push(() => view.close());
    });
    return stored;
  }

  /** Lines of each instance, the last of a file also when it is torn. One file at a time is in memory. */
  lines(file: LogFile): Iterable<string>[] {
    return this.#instances.map((instance) => linesOf(instance, file));
  }

  close(): void {
    for (const close of this.#close) close();
  }
}

function* linesOf({ directory, files }: Instance, file: LogFile): Generator<string> {
  const { number, length } = files.checkpoint.files[file] ?? { number: 1, length: 0 };
  for (const segment of closedSegments(directory, file)) {
    if (segment.number < number) yield* splitLines(readClosed(segment));
  }
  const descriptor = files.descriptors.get(file);
  if (length > 0 && descriptor !== undefined) yield* splitLines(readStart(descriptor, length));
}

function readClosed({ path, suffixes }: ClosedSegment): Buffer {
  if (suffixes.includes(SEGMENT_SUFFIX.plain)) return readFileSync(path + SEGMENT_SUFFIX.plain);
  return gunzipSync(readFileSync(path + SEGMENT_SUFFIX.gzip));
}

function readStart(descriptor: number, length: number): Buffer {
  const buffer = Buffer.alloc(Math.min(length, fstatSync(descriptor).size));
  readSync(descriptor, buffer, 0, buffer.length, 0);
  return buffer;
}

/** One at a time, since a file can be longer than the longest string. */
function* splitLines(bytes: Buffer): Generator<string> {
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    yield bytes.toString('utf8', start, end);
    start = end + 1;
  }
  if (start < bytes.length) yield bytes.toString('utf8', start);
}

/** All lines of one kind of file, of all instances. */
export async function storedLines(root: string, file: LogFile): Promise<string[]> {
  const files = await StoredFiles.open(root);
  try {
    return files.lines(file).flatMap((lines) => [...lines]);
  } finally {
    files.close();
  }
}
