/**
 * The one checker of "nothing lost, nothing twice": it knows what was produced, reads everything that
 * was stored or quarantined, and names each difference. Records are told apart by partition and sequence
 * and carry a checksum of themselves.
 */
import { createHash } from 'node:crypto';
import type { Message } from 'kafkajs';
import { StoredFiles } from './stored-files.ts';

export interface ExactnessReport {
  readonly stored: number;
  readonly quarantined: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly altered: number;
  readonly unordered: number;
  readonly torn: number;
  readonly problems: readonly string[];
}

const LEVELS = ['INFO', 'INFO', 'INFO', 'WARN', 'ERROR', 'DEBUG', 'FATAL', 'TRACE'] as const;

/** Every hundredth record is not JSON and belongs into the quarantine. */
function isMalformed(sequence: number): boolean {
  return sequence % 100 === 99;
}

/** A record that nobody else has; `sequence` counts from 0 in its partition. */
export function uniqueMessage(partition: number, sequence: number): Message {
  const check = checksum(partition, sequence);
  if (isMalformed(sequence)) return { partition, value: `broken record ${partition} ${sequence} ${check}` };
  const level = LEVELS[sequence % LEVELS.length];
  const value = JSON.stringify({
    timestamp: new Date(1_700_000_000_000 + sequence).toISOString(),
    service: `service-${(partition * 7 + sequence) % 20}`,
    level,
    message: `record ${sequence} of partition ${partition}`,
    p: partition,
    seq: sequence,
    check,
    pad: 'x'.repeat(sequence % 97),
  });
  return { partition, value };
}

function checksum(partition: number, sequence: number): string {
  return createHash('sha256').update(`${partition}:${sequence}`).digest('hex').slice(0, 16);
}

/**
 * @param root an output directory, or one that several instances share
 * @param produced records produced, by partition
 */
export async function checkExactness(root: string, produced: readonly number[]): Promise<ExactnessReport> {
  const seen = produced.map((count) => new Uint8Array(count));
  const count = { stored: 0, quarantined: 0, lost: 0, duplicated: 0, altered: 0, unordered: 0, torn: 0 };
  const problems: string[] = [];
  const visit = (last: number[], { partition, sequence, check }: Mark): void => {
    const marks = seen[partition];
    if (marks === undefined || sequence >= marks.length || check !== checksum(partition, sequence)) {
      count.altered += 1;
      problems.push(`unknown or altered record ${partition}/${sequence}`);
      return;
    }
    if (marks[sequence] !== 0) {
      count.duplicated += 1;
      problems.push(`record ${partition}/${sequence} is there twice`);
    }
    if (sequence <= (last[partition] ?? -1)) count.unordered += 1;
    last[partition] = sequence;
    marks[sequence] = 1;
  };
  const files = await StoredFiles.open(root);
  try {
    for (const [kind, file, read] of [
      ['stored', 'service_logs', storedMark],
      ['quarantined', 'quarantine', quarantinedMark],
    ] as const) {
      for (const lines of files.lines(file)) {
        const last: number[] = [];
        for (const line of lines) {
          const mark = read(line);
          if (mark === undefined) {
            count.torn += 1;
            continue;
          }
          visit(last, mark);
          count[kind] += 1;
        }
      }
    }
  } finally {
    files.close();
  }
  seen.forEach((marks, partition) => {
    marks.forEach((mark, sequence) => {
      if (mark !== 0) return;
      count.lost += 1;
      problems.push(`record ${partition}/${sequence} is lost`);
    });
  });
  return { ...count, problems: problems.slice(0, 20) };
}

/** What tells a record from all others. */
interface Mark {
  readonly partition: number;
  readonly sequence: number;
  readonly check: string;
}

function storedMark(line: string): Mark | undefined {
  const stored = parse(line) as { extra: { p: number; seq: number; check: string } } | undefined;
  if (stored === undefined) return undefined;
  const { p, seq, check } = stored.extra;
  return { partition: p, sequence: seq, check };
}

function quarantinedMark(line: string): Mark | undefined {
  const entry = parse(line) as { raw: string } | undefined;
  if (entry === undefined) return undefined;
  const [, partition, sequence, check = ''] = /^broken record (\d+) (\d+) (\w+)$/.exec(entry.raw) ?? [];
  return { partition: Number(partition), sequence: Number(sequence), check };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // A torn line is what the checker is there to count.
    return undefined;
  }
}

export const EXACT = { lost: 0, duplicated: 0, altered: 0, unordered: 0, torn: 0 } as const;
