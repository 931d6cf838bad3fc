/**
 * `state/retention.json`: which closed segments are not in the archive on purpose, and what they held, so
 * that `verify` can still account for every offset.
 *
 * Invariants
 * - Of each file the oldest segments go first and none is left between: `removed_through: N` speaks of
 *   the segments 1 to N.
 * - It is replaced durably before the first byte of a segment goes. A segment at or below N that still
 *   lies in the archive is what an interrupted deletion left: it counts as removed, and may be deleted.
 * - It only grows: `removed_through` never goes back.
 *
 * Format (version 1): JSON with a checksum as its last key (checked-json.ts). Without the file nothing was
 * removed. A damaged file is refused, because nothing else knows what it held.
 *
 * A restore (upkeep/backup) uses it too: the segments before the first restored one are not there on
 * purpose either. What they held is then of no interest, since the partitions of a restored checkpoint
 * begin with the first restored segment; `absent` names the offsets that no restored file holds.
 */
import { ServiceError } from '../core/errors.ts';
import { LOG_FILES, type LogFile } from '../core/files.ts';
import { invariant } from '../core/invariant.ts';
import { decodeChecked, encodeChecked, readIfPresent } from './checked-json.ts';
import { replaceFileDurable } from './durable-file.ts';
import { addTotals, NO_TOTALS, type OffsetRange, type RecordTotals, type SegmentFacts } from './facts.ts';
import { statePath } from './layout.ts';

const RETENTION_FILE = 'retention.json';

/** What quarantine entries stand for, of one partition. */
interface QuarantineContent {
  /**
   * Records that the checkpoint counts as quarantined and whose entries are gone. Negative after a restore
   * whose quarantine holds entries of offsets that were not restored.
   */
  readonly records: number;
  /** Last offset of an entry that is gone; null when the entries that follow may begin anywhere. */
  readonly last_offset: number | null;
}

/** The segments 1 to `removed_through` of one file, and what they held together. */
export interface RemovedSegments {
  readonly removed_through: number;
  readonly records: number;
  /** Of the plain lines. */
  readonly bytes: number;
  /** service_logs only: how the records ended that the segments account for. */
  readonly totals?: RecordTotals;
  /** service_logs only: the offsets that they account for, by `<topic>/<partition>`. */
  readonly offsets?: Readonly<Record<string, OffsetRange>>;
  /** quarantine only, by `<topic>/<partition>`. */
  readonly quarantine?: Readonly<Record<string, QuarantineContent>>;
}

export interface RetentionLedger {
  readonly version: 1;
  readonly files: Readonly<Partial<Record<LogFile, RemovedSegments>>>;
  /** Offsets that no files hold because they were not restored, by `<topic>/<partition>`. */
  readonly absent?: Readonly<Record<string, readonly OffsetRange[]>>;
}

export const NOTHING_REMOVED: RetentionLedger = { version: 1, files: {} };

/** @throws ServiceError FILE_CORRUPT when the file is there but damaged */
export function readRetentionLedger(directory: string): RetentionLedger {
  const path = statePath(directory, RETENTION_FILE);
  const text = readIfPresent(path);
  if (text === undefined) return NOTHING_REMOVED;
  const ledger = decodeChecked(text) as RetentionLedger | undefined;
  if (ledger?.version === 1) return ledger;
  throw new ServiceError(
    'FILE_CORRUPT',
    `${path} is damaged, so nobody knows what was removed from the archive: restore it from a backup.`,
    { path },
  );
}

/** Replaces the ledger durably. */
export function writeRetentionLedger(directory: string, ledger: RetentionLedger): void {
  replaceFileDurable(statePath(directory, RETENTION_FILE), encodeChecked(ledger));
}

/** Number of the newest segment that was removed, by file; 0 for none. */
export function removedThrough({ files }: RetentionLedger, file: LogFile): number {
  return files[file]?.removed_through ?? 0;
}

/** The content of a quarantine segment that is to be removed, by `<topic>/<partition>`. */
export type SegmentQuarantine = Readonly<Record<string, { records: number; last_offset: number }>>;

/**
 * The ledger with one more segment, the oldest that is left of its file.
 * @param quarantine what its lines stand for (upkeep/quarantine-content.ts); for quarantine only
 */
export function withRemoved(
  ledger: RetentionLedger,
  facts: SegmentFacts,
  quarantine: SegmentQuarantine = {},
): RetentionLedger {
  const file = LOG_FILES.find((name) => name === facts.file);
  invariant(file !== undefined, `a segment of ${facts.file} is to be removed`);
  const before = ledger.files[file] ?? { removed_through: 0, records: 0, bytes: 0 };
  invariant(
    facts.number === before.removed_through + 1,
    `segment ${facts.number} of ${file} is to be removed, but ${before.removed_through + 1} is the oldest`,
  );
  const entry: RemovedSegments = {
    removed_through: facts.number,
    records: before.records + facts.records,
    bytes: before.bytes + facts.bytes,
    ...(file === 'service_logs' ? accountsAfter(before, facts) : {}),
    ...(file === 'quarantine' ? { quarantine: quarantineAfter(before, quarantine) } : {}),
  };
  return { ...ledger, files: { ...ledger.files, [file]: entry } };
}

function accountsAfter(
  before: RemovedSegments,
  { accounts }: SegmentFacts,
): Pick<RemovedSegments, 'totals' | 'offsets'> {
  const offsets = { ...before.offsets };
  for (const [key, range] of Object.entries(accounts?.offsets ?? {})) {
    offsets[key] = { from: offsets[key]?.from ?? range.from, to: range.to };
  }
  return { totals: addTotals(before.totals ?? NO_TOTALS, accounts?.totals ?? NO_TOTALS), offsets };
}

function quarantineAfter(
  before: RemovedSegments,
  segment: SegmentQuarantine,
): Record<string, QuarantineContent> {
  const content = { ...before.quarantine };
  for (const [key, { records, last_offset }] of Object.entries(segment)) {
    content[key] = { records: (content[key]?.records ?? 0) + records, last_offset };
  }
  return content;
}
