/**
 * Sends the quarantine to the dead-letter topic, behind ingestion and in the order of the files, from a
 * durable position of its own and never beyond what is settled: what lies beyond may be cut.
 *
 * The position moves after the topic has acknowledged, so every entry is sent at least once, and after a
 * crash or a roll-back some twice, with the same headers. Failures are told and tried again; ingestion
 * does not depend on any of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { DeadLetter, DeadLetterTopic } from '../core/dead-letter.ts';
import { ServiceError } from '../core/errors.ts';
import {
  DEAD_LETTER_BATCH_BYTES,
  DEAD_LETTER_RETRY,
  MAX_DEAD_LETTER_BYTES,
  SETTLE_MS,
} from '../core/limits.ts';
import { Backoff, type BackoffLimits } from '../resilience/backoff.ts';
import { extendChecksum, formatChecksum } from '../storage/checksum.ts';
import {
  type DeadLetterPosition,
  loadDeadLetterPosition,
  saveDeadLetterPosition,
} from '../storage/dead-letter-position.ts';
import { parseQuarantineEntry } from '../storage/quarantine-entry.ts';
import { deadLetterOf, sizeOf } from './dead-letter.ts';
import { linesOf, type QuarantinePiece, quarantinePieces } from './quarantine-pieces.ts';
import { settledFilesOf } from './settled-view.ts';

export interface DeadLettersOptions {
  /** Of one instance. */
  readonly directory: string;
  readonly topic: DeadLetterTopic;
  readonly clock: Clock;
  /** The topic has taken so many entries. */
  readonly onSent: (entries: number) => void;
  /** An entry stays in the quarantine only. @param isFirst whether it is the first one */
  readonly onTooLarge: (message: string, isFirst: boolean) => void;
  /** @param isNew whether it is another failure than the one before */
  readonly onFailed: (error: unknown, isNew: boolean) => void;
  /** The first success after a failure. */
  readonly onBack: () => void;
  readonly pauses?: BackoffLimits;
  readonly settleMs?: number;
}

interface NamedLetter {
  /** Where the record came from, for messages. */
  readonly name: string;
  readonly letter: DeadLetter;
}

/** Lines that go together, and where the position is behind them. */
interface Batch {
  readonly letters: readonly NamedLetter[];
  readonly position: DeadLetterPosition;
}

type Start = Pick<DeadLetterPosition, 'segment' | 'offset'>;

export class DeadLetters {
  readonly #options: DeadLettersOptions;
  readonly #pauses: Backoff;
  #failure: string | undefined;
  #hasTooLarge = false;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
    this.#pauses = new Backoff(options.pauses ?? DEAD_LETTER_RETRY.pauses);
  }

  /**
   * Sends what has come since the last pass. Returns early when the topic does not take it, or when
   * `signal` says so; the next pass goes on there.
   * @returns whether everything that is settled was sent
   * @throws ServiceError when the files cannot be read
   */
  async runOnce(signal: AbortSignal): Promise<boolean> {
    const { directory, clock, settleMs = SETTLE_MS } = this.#options;
    const view = await settledFilesOf(directory, clock, settleMs);
    try {
      const pieces = quarantinePieces(directory, view.files);
      const active = view.files.checkpoint.files.quarantine?.number ?? 1;
      for await (const batch of this.#batches(pieces, active)) {
        if (!(await this.#deliver(batch, signal))) return false;
        saveDeadLetterPosition(directory, batch.position);
      }
      return true;
    } finally {
      view.close();
    }
  }

  async *#batches(pieces: readonly QuarantinePiece[], active: number): AsyncGenerator<Batch> {
    const { segment, offset } = await this.#start(pieces, active);
    for (const piece of pieces) {
      if (piece.number < segment) continue;
      yield* this.#batchesOf(piece, piece.number === segment ? offset : 0);
    }
  }

  /**
   * Where to go on: at the position, unless the line before it is no longer there, because the files were
   * cut back meanwhile, perhaps into the segment before. That is sent anew then.
   */
  async #start(pieces: readonly QuarantinePiece[], active: number): Promise<Start> {
    const position = loadDeadLetterPosition(this.#options.directory);
    const { segment } = position;
    if (segment > active) return { segment: active, offset: 0 };
    const piece = pieces.find(({ number }) => number === segment);
    if (piece === undefined || (await isStillThere(piece, position))) return position;
    return { segment: segment - 1, offset: 0 };
  }

  async *#batchesOf(piece: QuarantinePiece, start: number): AsyncGenerator<Batch> {
    let letters: NamedLetter[] = [];
    let [bytes, offset] = [0, start];
    for await (const lines of linesOf(piece, start)) {
      for (const [index, line] of lines.entries()) {
        offset += line.length + 1;
        const entry = parseQuarantineEntry(line);
        if (entry !== undefined) {
          const letter = deadLetterOf(entry);
          letters.push({ name: `${entry.topic}/${entry.partition} offset ${entry.offset}`, letter });
          bytes += sizeOf(letter);
        }
        if (bytes < DEAD_LETTER_BATCH_BYTES && index + 1 < lines.length) continue;
        yield { letters, position: positionAfter(piece, offset, line) };
        [letters, bytes] = [[], 0];
      }
    }
  }

  /** @returns false when it was given up */
  async #deliver({ letters }: Batch, signal: AbortSignal): Promise<boolean> {
    const fitting = letters.filter(({ letter }) => sizeOf(letter) <= MAX_DEAD_LETTER_BYTES);
    const tooLarge = letters.filter(({ letter }) => sizeOf(letter) > MAX_DEAD_LETTER_BYTES);
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        const refused =
          fitting.length === 0 ? [] : await this.#options.topic.send(fitting.map(({ letter }) => letter));
        this.#succeeded(fitting.length - refused.length, [
          ...tooLarge,
          ...refused.flatMap((index) => fitting[index] ?? []),
        ]);
        return true;
      } catch (error) {
        this.#failed(error);
        const isFinal = !(error instanceof ServiceError) || !error.retryable;
        if (isFinal || tries === DEAD_LETTER_RETRY.tries) return false;
        await sleep(this.#pauses.next(), undefined, { signal }).catch(() => undefined);
      }
    }
    return false;
  }

  #succeeded(sent: number, tooLarge: readonly NamedLetter[]): void {
    this.#pauses.reset();
    if (this.#failure !== undefined) this.#options.onBack();
    this.#failure = undefined;
    if (sent > 0) this.#options.onSent(sent);
    for (const { name } of tooLarge) {
      this.#options.onTooLarge(
        `The record of ${name} is too large for the dead-letter topic, so it is in the quarantine only: raise the topic's max.message.bytes for those to come; further ones are only counted.`,
        !this.#hasTooLarge,
      );
      this.#hasTooLarge = true;
    }
  }

  #failed(error: unknown): void {
    const text = String(error);
    this.#options.onFailed(error, text !== this.#failure);
    this.#failure = text;
  }
}

function positionAfter(piece: QuarantinePiece, offset: number, line: Buffer): DeadLetterPosition {
  const last = { bytes: line.length, crc32c: checksumOf(line) };
  return { version: 1, segment: piece.number, offset, last };
}

async function isStillThere(piece: QuarantinePiece, position: DeadLetterPosition): Promise<boolean> {
  const { offset, last } = position;
  if (last === null) return true;
  for await (const [line] of linesOf(piece, offset - last.bytes - 1)) {
    return line?.length === last.bytes && checksumOf(line) === last.crc32c;
  }
  return false;
}

function checksumOf(line: Buffer): string {
  return formatChecksum(extendChecksum(0, line));
}
