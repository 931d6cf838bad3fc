/**
 * Holds what a store has against what was confirmed: every segment has to be there with its facts, and every
 * object has to have the size and the checksum that the facts say. Where the archive still has a segment, its
 * own facts count; what was removed is held against the facts in the store.
 */
import { isDeepStrictEqual } from 'node:util';
import PQueue from 'p-queue';
import { LOG_FILES, type LogFile } from '../../core/files.ts';
import { readBackupProgress } from '../../storage/backup-state.ts';
import { fileSize } from '../../storage/durable-file.ts';
import { SEGMENT_SUFFIX } from '../../storage/layout.ts';
import { hashOf, isSame } from './confirmed-put.ts';
import { fileContent } from './object-digest.ts';
import type { Expected, ObjectStore } from './object-store.ts';
import { isDataSuffix, keyOf, type SealedSegment, sealedSegments } from './segment-files.ts';
import { type StoredSegment, storedFacts, storedFiles } from './stored-segments.ts';
import { tailKey } from './tails.ts';

export interface BackupVerifyOptions {
  /** The output root. */
  readonly root: string;
  /** Of the instances below it. */
  readonly directories: readonly string[];
  readonly store: ObjectStore;
  /** `targetIdentity` of the store. */
  readonly target: string;
  /** Whether every object is read and hashed, instead of asking the store for its checksum. */
  readonly deep: boolean;
  readonly concurrency: number;
  /** @param share of the segments that were checked, 0 to 1 */
  readonly onProgress: (share: number) => void;
}

export interface BackupReport {
  readonly ok: boolean;
  readonly deep: boolean;
  /** Confirmed segments that were looked for. */
  readonly segments: number;
  /** Objects that are as they ought to be, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  /** What is missing or differs, one sentence each. */
  readonly problems: readonly string[];
}

/** A confirmed segment: where it still lies, and what the store has under its number. */
interface Subject {
  readonly file: LogFile;
  readonly number: number;
  readonly local: SealedSegment | undefined;
  readonly stored: readonly StoredSegment[];
}

/** @throws ServiceError when the store cannot be asked */
export async function verifyBackup(options: BackupVerifyOptions, signal: AbortSignal): Promise<BackupReport> {
  return new BackupVerification(options, signal).run();
}

class BackupVerification {
  readonly #options: BackupVerifyOptions;
  readonly #signal: AbortSignal;
  readonly #problems: string[] = [];
  #objects = 0;
  #bytes = 0;

  constructor(options: BackupVerifyOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<BackupReport> {
    const { store, directories, concurrency, deep, onProgress } = this.#options;
    const { segments: stored, tails } = await storedFiles(store, this.#signal);
    const subjects = directories.flatMap((directory) => this.#subjects(directory, stored));
    const queue = new PQueue({ concurrency });
    let done = 0;
    await Promise.all(
      subjects.map((subject) =>
        queue.add(async () => {
          await this.#check(subject);
          done += 1;
          onProgress(done / subjects.length);
        }),
      ),
    ).finally(() => queue.clear());
    for (const directory of directories) await this.#checkTails(directory, stored, tails);
    return {
      ok: this.#problems.length === 0,
      deep,
      segments: subjects.length,
      objects: this.#objects,
      bytes: this.#bytes,
      problems: this.#problems.toSorted(),
    };
  }

  #subjects(directory: string, stored: readonly StoredSegment[]): Subject[] {
    const { root, target } = this.#options;
    const { confirmed, gone } = readBackupProgress(directory, target);
    const instance = keyOf(root, directory);
    return LOG_FILES.flatMap((file) => {
      const local = new Map(
        sealedSegments(directory, file, gone[file]).map((segment) => [segment.number, segment]),
      );
      const ours = Map.groupBy(
        stored.filter((segment) => segment.instance === instance && segment.file === file),
        ({ number }) => number,
      );
      const count = Math.max(0, confirmed[file] - gone[file]);
      return Array.from({ length: count }, (_, index) => {
        const number = gone[file] + 1 + index;
        return { file, number, local: local.get(number), stored: ours.get(number) ?? [] };
      });
    });
  }

  /** What was active when the newest confirmed segment was closed belongs to it, compressed by now or not. */
  async #checkTails(
    directory: string,
    stored: readonly StoredSegment[],
    tails: ReadonlySet<string>,
  ): Promise<void> {
    const { root, target } = this.#options;
    const number = readBackupProgress(directory, target).confirmed.service_logs;
    const [newest] = sealedSegments(directory, 'service_logs', number - 1);
    const instance = keyOf(root, directory);
    for (const file of LOG_FILES) {
      const position = newest?.number === number ? newest.facts.alongside?.[file] : undefined;
      if (position === undefined || position.length === 0) continue;
      const isSame = (found: StoredSegment): boolean =>
        found.instance === instance && found.file === file && found.number === position.number;
      if (stored.some(isSame)) continue;
      const key = tailKey({ instance, file, number: position.number });
      const expected = tails.has(key) ? await this.#recorded(key) : undefined;
      if (expected !== undefined) await this.#checkObject(key, expected);
      else
        this.#problems.push(`${key} is missing: without it, the newest lines of ${file} cannot be restored.`);
    }
  }

  async #check(subject: Subject): Promise<void> {
    const { file, number, local } = subject;
    const base = local === undefined ? undefined : keyOf(this.#options.root, local.path);
    const stored =
      base === undefined ? subject.stored : subject.stored.filter((found) => found.base === base);
    if (stored.length === 0) {
      this.#problems.push(
        `Segment ${number} of ${file} is missing: the store holds nothing of ${base ?? 'it'}.`,
      );
    }
    for (const segment of stored) await this.#checkSegment(segment, local);
  }

  async #checkSegment(segment: StoredSegment, local: SealedSegment | undefined): Promise<void> {
    const found = await storedFacts(this.#options.store, segment, this.#signal);
    if (typeof found === 'string') {
      this.#problems.push(found);
    } else if (local !== undefined && !describesSame(found.facts, local.facts)) {
      this.#problems.push(`${segment.base}${SEGMENT_SUFFIX.facts} differs from the facts in the archive.`);
    } else {
      this.#count(segment.objects.get(SEGMENT_SUFFIX.facts) ?? 0);
    }
    const facts = local?.facts ?? (typeof found === 'string' ? undefined : found.facts);
    const suffixes = [...segment.objects.keys()].filter((suffix) => suffix !== SEGMENT_SUFFIX.facts);
    if (!suffixes.some(isDataSuffix)) {
      this.#problems.push(`${segment.base}${local?.data ?? SEGMENT_SUFFIX.gzip} is missing.`);
    }
    for (const suffix of suffixes) {
      const expected = isDataSuffix(suffix)
        ? facts?.sealed
        : await this.#sidecar(segment.base, suffix, local);
      if (expected !== undefined) await this.#checkObject(segment.base + suffix, expected);
    }
  }

  /** What a columnar sidecar ought to be: the one in the archive, or what was stored with the object. */
  async #sidecar(
    base: string,
    suffix: string,
    local: SealedSegment | undefined,
  ): Promise<Expected | undefined> {
    const path = local === undefined ? undefined : local.path + suffix;
    if (path !== undefined && fileSize(path) !== undefined)
      return (await fileContent(path, Number.MAX_SAFE_INTEGER)).digest;
    return this.#recorded(base + suffix);
  }

  /** What was stored with an object. */
  async #recorded(name: string): Promise<Expected | undefined> {
    const { store } = this.#options;
    const head = await store.head(store.prefix + name, this.#signal);
    const sha256 = head?.metadata['sha256'];
    return head === undefined || sha256 === undefined ? undefined : { bytes: head.bytes, sha256 };
  }

  async #checkObject(name: string, expected: Expected): Promise<void> {
    const { store, deep } = this.#options;
    const key = store.prefix + name;
    const stored = await store.head(key, this.#signal);
    if (stored === undefined) {
      this.#problems.push(`${name} is missing.`);
    } else if (stored.bytes !== expected.bytes) {
      this.#problems.push(`${name} has ${stored.bytes} bytes, ${expected.bytes} were copied.`);
    } else if (!(await isSame(store, key, stored, expected, this.#signal))) {
      this.#problems.push(`${name} has another SHA-256 than the file that was copied.`);
    } else if (deep && (await hashOf(store, key, this.#signal)) !== expected.sha256) {
      this.#problems.push(`${name} does not read back as it was copied: the store has changed its bytes.`);
    } else {
      this.#count(stored.bytes);
    }
  }

  #count(bytes: number): void {
    this.#objects += 1;
    this.#bytes += bytes;
  }
}

/** A sidecar that was made after the copy adds to the facts; what they say of the lines stays. */
function describesSame(left: SealedSegment['facts'], right: SealedSegment['facts']): boolean {
  const essence = ({ file, number, records, bytes, crc32c, sealed, accounts }: SealedSegment['facts']) => ({
    file,
    number,
    records,
    bytes,
    crc32c,
    sealed,
    accounts,
  });
  return isDeepStrictEqual(essence(left), essence(right));
}
