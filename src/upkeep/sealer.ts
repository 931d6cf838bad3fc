/**
 * Compresses closed segments behind ingestion: `<segment>.jsonl` becomes `<segment>.jsonl.gz`.
 *
 * The compressed file is written under a temporary name, synced, read back and compared, and what went
 * into it is compared with what the writer recorded; only then is it renamed, and the plain file goes
 * last. A crash at any point leaves the plain file or both, and the next start does the work again.
 *
 * What fails is tried again after growing pauses, and a circuit breaker stops all of it but single probes
 * while the disk refuses one file after the other. A file that is no longer what the writer wrote is left
 * to a person.
 *
 * The pool compresses one small member at a time, and only while `mayRun` says that nothing more
 * important waits; otherwise one a second, so that a service under full load still makes progress.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { systemCodeOf } from '../core/errors.ts';
import { LOG_FILES } from '../core/files.ts';
import { Backoff, type BackoffLimits } from '../resilience/backoff.ts';
import type { Circuit } from '../resilience/circuit.ts';
import { formatChecksum } from '../storage/checksum.ts';
import { replaceFileDurable, syncDirectory } from '../storage/durable-file.ts';
import type { SegmentFacts } from '../storage/facts.ts';
import { SEGMENT_SUFFIX } from '../storage/layout.ts';
import { closedSegments } from '../storage/recovery.ts';
import { plainReplaySegments } from '../storage/replay-journal.ts';
import type { Member, MemberTask } from './gzip-member.ts';

export interface SealerOptions {
  readonly directory: string;
  /** gzip level, 1 to 9. */
  readonly level: number;
  /** Segments in work at the same time. */
  readonly concurrency: number;
  readonly compress: (task: MemberTask) => Promise<Member>;
  /** Whether the pool has time for this. */
  readonly mayRun: () => boolean;
  readonly onSealed: (path: string, plainBytes: number, sealedBytes: number, durationMs: number) => void;
  /** Pauses before a file that failed is tried again. */
  readonly pauses: BackoffLimits;
  /** Opens when the disk refuses; `isSealOutage` says which errors count. */
  readonly circuit: Pick<Circuit, 'run'>;
  /** @param retryInMs null when the file is not tried again by this process */
  readonly onFailed: (path: string, error: unknown, retryInMs: number | null) => void;
  readonly onBacklog: (segments: number) => void;
}

const POLL_MS = 50;
const MAX_WAIT_MS = 1000;

export class Sealer {
  readonly #options: SealerOptions;
  readonly #queue: PQueue;
  readonly #stopping = new AbortController();
  /** Files that failed, until they are tried again. */
  readonly #retries = new Set<NodeJS.Timeout>();

  constructor(options: SealerOptions) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** Takes up what an earlier run left plain. */
  resume(): void {
    for (const file of LOG_FILES) {
      for (const segment of closedSegments(this.#options.directory, file)) {
        const { suffixes } = segment;
        if (suffixes.includes(SEGMENT_SUFFIX.plain) && suffixes.includes(SEGMENT_SUFFIX.facts)) {
          this.add(segment.path);
        }
      }
    }
    for (const path of plainReplaySegments(this.#options.directory)) this.add(path);
  }

  /** @param path of a closed segment, without suffix */
  add(path: string): void {
    this.#try(path, new Backoff(this.#options.pauses));
  }

  /** Leaves what is not begun; resolves when what is in work was given up or done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#queue.clear();
    for (const retry of this.#retries) clearTimeout(retry);
    await this.#queue.onIdle();
  }

  #try(path: string, pauses: Backoff): void {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    this.#queue
      .add(() => this.#options.circuit.run(() => this.#seal(path), signal))
      .catch((error: unknown) => this.#failed(path, pauses, error))
      .finally(() => this.#reportBacklog());
    this.#reportBacklog();
  }

  #failed(path: string, pauses: Backoff, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const retryInMs = isSealOutage(error) ? pauses.next() : null;
    this.#options.onFailed(path, error, retryInMs);
    if (retryInMs === null) return;
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      this.#try(path, pauses);
    }, retryInMs);
    retry.unref();
    this.#retries.add(retry);
  }

  #reportBacklog(): void {
    this.#options.onBacklog(this.#queue.size + this.#queue.pending + this.#retries.size);
  }

  async #seal(path: string): Promise<void> {
    const startedAt = performance.now();
    const target = path + SEGMENT_SUFFIX.gzip;
    const temporary = `${target}.tmp`;
    const facts = JSON.parse(readFileSync(path + SEGMENT_SUFFIX.facts, 'utf8')) as SegmentFacts;
    try {
      const written = await this.#compressTo(path + SEGMENT_SUFFIX.plain, temporary);
      if (written === undefined) return;
      requireEqual(path + SEGMENT_SUFFIX.plain, written, facts);
      await requireHash(temporary, written.sha256);
      await this.#install(path, temporary, facts, written);
      this.#options.onSealed(target, facts.bytes, written.bytes, performance.now() - startedAt);
    } finally {
      // Given up or failed: on a full disk above all, half a file must not stay.
      await rm(temporary, { force: true });
    }
  }

  /** Puts the compressed file in the place of the plain one. */
  async #install(path: string, temporary: string, facts: SegmentFacts, written: Written): Promise<void> {
    const target = path + SEGMENT_SUFFIX.gzip;
    await rename(temporary, target);
    syncDirectory(dirname(target));
    const sealed = { format: 'gzip', bytes: written.bytes, sha256: written.sha256 } as const;
    replaceFileDurable(path + SEGMENT_SUFFIX.facts, `${JSON.stringify({ ...facts, sealed })}\n`);
    await rm(path + SEGMENT_SUFFIX.plain);
    syncDirectory(dirname(target));
  }

  /** @returns undefined when it was given up because the service stops */
  async #compressTo(plain: string, temporary: string): Promise<Written | undefined> {
    const { size } = await stat(plain);
    const target = await open(temporary, 'w');
    const hash = createHash('sha256');
    let [start, crc, lines, bytes] = [0, 0, 0, 0];
    try {
      while (start < size) {
        if (!(await this.#turn())) return undefined;
        const member = await this.#options.compress({
          source: plain,
          start,
          crc,
          level: this.#options.level,
        });
        const compressed = new Uint8Array(member.compressed);
        await target.writeFile(compressed);
        hash.update(compressed);
        bytes += compressed.length;
        lines += member.lines;
        ({ end: start, crc } = member);
      }
      await target.sync();
      return { bytes, sha256: hash.digest('hex'), plainBytes: start, crc32c: formatChecksum(crc), lines };
    } finally {
      await target.close();
    }
  }

  /** Waits for a quiet moment, at most MAX_WAIT_MS; false when the service stops. */
  async #turn(): Promise<boolean> {
    for (
      let waited = 0;
      !this.#stopping.signal.aborted && !this.#options.mayRun() && waited < MAX_WAIT_MS;
      waited += POLL_MS
    ) {
      await sleep(POLL_MS);
    }
    return !this.#stopping.signal.aborted;
  }
}

/** What was compressed, as it went through. */
interface Written {
  /** Of the compressed file, like the hash. */
  readonly bytes: number;
  readonly sha256: string;
  readonly plainBytes: number;
  readonly crc32c: string;
  readonly lines: number;
}

/** The file is no longer what was written to it: compressing it again would not help. */
class AlteredSegment extends Error {}

/** Whether a failure can pass, so that it is the disk's rather than the file's. */
export function isSealOutage(error: unknown): boolean {
  return !(error instanceof AlteredSegment) && systemCodeOf(error) !== 'ENOENT';
}

/** What was compressed must be what the writer wrote, byte for byte. */
function requireEqual(plain: string, { plainBytes, lines, crc32c }: Written, facts: SegmentFacts): void {
  if (plainBytes === facts.bytes && lines === facts.records && crc32c === facts.crc32c) return;
  throw new AlteredSegment(
    `${plain} no longer is what was written to it (${lines} lines and ${plainBytes} bytes, ${facts.records} and ${facts.bytes} recorded): it stays as it is; run "log-consumer verify".`,
  );
}

/** What lies on the disk must be what was written there. */
async function requireHash(path: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  if (hash.digest('hex') !== sha256) throw new Error(`${path} does not read back as it was written.`);
}
