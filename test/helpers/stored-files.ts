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
import { closedSegments } from '../../src/storage/recovery.ts';
import { type FrozenFiles, freeze } from '../../src/upkeep/frozen-view.ts';

/** What the instances below a root hold, held still; to be closed after use. */
export class StoredFiles {
  readonly #instances: { readonly directory: string; readonly files: FrozenFiles }[] = [];
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

  /** Lines of each instance, the last of a file also when it is torn. */
  lines(file: LogFile): string[][] {
    return this.#instances.map(({ directory, files }) => {
      const { number, length } = files.checkpoint.files[file] ?? { number: 1, length: 0 };
      const parts: Uint8Array[] = closedSegments(directory, file)
        .filter((segment) => segment.number < number)
        .map(({ path, suffixes }) =>
          suffixes.includes(SEGMENT_SUFFIX.plain)
            ? readFileSync(path + SEGMENT_SUFFIX.plain)
            : gunzipSync(readFileSync(path + SEGMENT_SUFFIX.gzip)),
        );
      const descriptor = files.descriptors.get(file);
      if (length > 0 && descriptor !== undefined) parts.push(readStart(descriptor, length));
      return parts.flatMap(splitLines);
    });
  }

  close(): void {
    for (const close of this.#close) close();
  }
}

function readStart(descriptor: number, length: number): Buffer {
  const buffer = Buffer.alloc(Math.min(length, fstatSync(descriptor).size));
  readSync(descriptor, buffer, 0, buffer.length, 0);
  return buffer;
}

function splitLines(part: Uint8Array): string[] {
  const lines = Buffer.from(part).toString().split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** All lines of one kind of file, of all instances. */
export async function storedLines(root: string, file: LogFile): Promise<string[]> {
  const files = await StoredFiles.open(root);
  try {
    return files.lines(file).flat();
  } finally {
    files.close();
  }
}
