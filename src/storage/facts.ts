/**
 * What is known of a segment without reading it: kept for the active segments in the checkpoint, and
 * for closed ones in `<segment>.meta.json`.
 */
import { LEVELS } from '../core/level.ts';
import type { LineFacts, UnitCounts } from '../core/messages.ts';
import type { SealFormat } from '../core/seal-format.ts';
import { OTHER_SERVICES } from '../core/services.ts';

/** More distinct services than this are counted together under `OTHER_SERVICES`. */
const MAX_SERVICES = 1000;

/** Offsets [from, to) of one partition; `key` is `<topic>/<partition>`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** How far a file was: its active segment, and what that held. */
export interface FilePosition {
  readonly number: number;
  readonly length: number;
  readonly crc32c: string;
  readonly records: number;
}

export interface RecordTotals {
  readonly consumed: number;
  readonly written: number;
  readonly filtered: number;
  readonly quarantined: number;
}

/** The content of `<segment>.meta.json`. Version 1. */
export interface SegmentFacts {
  readonly version: 1;
  readonly file: string;
  readonly number: number;
  /** Present on segments of a replay, which have numbers of their own. */
  readonly series?: 'replay';
  readonly instance: string;
  readonly records: number;
  /** Of the plain lines. */
  readonly bytes: number;
  readonly crc32c: string;
  readonly opened_at: string;
  readonly closed_at: string;
  /** service_logs only: what the lines say. */
  readonly lines?: StoredLineFacts;
  /**
   * service_logs only: the offsets accounted for while the segment was open, by `<topic>/<partition>`,
   * and how their records ended.
   */
  readonly accounts?: {
    readonly offsets: Readonly<Record<string, OffsetRange>>;
    readonly totals: RecordTotals;
    /** The totals by partition, for a restore; left out where a build before it opened the segment. */
    readonly partitions?: Readonly<Record<string, RecordTotals>>;
  };
  /**
   * service_logs only: how far the other files were when this segment was closed. Together with its offsets that
   * is a moment at which all files fit together, which a restore goes back to.
   */
  readonly alongside?: Readonly<Record<string, FilePosition>>;
  /** Present once the segment is compressed. */
  readonly sealed?: SealedFacts;
  /** service_logs only, once it is sealed: the columnar sidecar. */
  readonly columns?: ColumnsFacts;
}

/** The compressed file of a segment. */
export interface SealedFacts {
  readonly format: SealFormat;
  readonly bytes: number;
  readonly sha256: string;
  /** Of each member in turn: its bytes in the file, and the bytes of whole lines that it holds. */
  readonly members: readonly (readonly [stored: number, plain: number])[];
}

/** `<segment>.parquet`, which holds every line once. */
export interface ColumnsFacts {
  readonly bytes: number;
  readonly sha256: string;
}

/** `LineFacts` as they stand in a file. */
interface StoredLineFacts {
  readonly min_timestamp: string | null;
  readonly max_timestamp: string | null;
  readonly levels: Readonly<Record<string, number>>;
  readonly services: Readonly<Record<string, number>>;
}

export function storedLineFacts(facts: LineFacts): StoredLineFacts {
  return {
    min_timestamp: isoOrNull(facts.minTimestamp),
    max_timestamp: isoOrNull(facts.maxTimestamp),
    levels: Object.fromEntries(LEVELS.map((level, rank) => [level, facts.levels[rank] ?? 0])),
    services: facts.services,
  };
}

function isoOrNull(timestamp: number | null): string | null {
  return timestamp === null ? null : new Date(timestamp).toISOString();
}

export const NO_TOTALS: RecordTotals = { consumed: 0, written: 0, filtered: 0, quarantined: 0 };

export function addTotals(totals: RecordTotals, counts: RecordTotals | UnitCounts): RecordTotals {
  return {
    consumed: totals.consumed + counts.consumed,
    written: totals.written + counts.written,
    filtered: totals.filtered + counts.filtered,
    quarantined: totals.quarantined + counts.quarantined,
  };
}

export const NO_FACTS: LineFacts = {
  minTimestamp: null,
  maxTimestamp: null,
  levels: LEVELS.map(() => 0),
  services: {},
};

/** Running sum of line facts; mutable because it changes with every unit. */
export class FactsAccumulator {
  #min: number | null;
  #max: number | null;
  readonly #levels: number[];
  readonly #services: Map<string, number>;

  constructor(initial: LineFacts = NO_FACTS) {
    this.#min = initial.minTimestamp;
    this.#max = initial.maxTimestamp;
    this.#levels = [...initial.levels];
    this.#services = new Map(Object.entries(initial.services));
  }

  add(facts: LineFacts): void {
    if (facts.minTimestamp !== null && (this.#min === null || facts.minTimestamp < this.#min)) {
      this.#min = facts.minTimestamp;
    }
    if (facts.maxTimestamp !== null && (this.#max === null || facts.maxTimestamp > this.#max)) {
      this.#max = facts.maxTimestamp;
    }
    facts.levels.forEach((count, rank) => {
      this.#levels[rank] = (this.#levels[rank] ?? 0) + count;
    });
    for (const [service, count] of Object.entries(facts.services)) this.#addService(service, count);
  }

  snapshot(): LineFacts {
    return {
      minTimestamp: this.#min,
      maxTimestamp: this.#max,
      levels: [...this.#levels],
      services: Object.fromEntries(this.#services),
    };
  }

  #addService(service: string, count: number): void {
    const known = this.#services.has(service) || this.#services.size < MAX_SERVICES;
    const name = known ? service : OTHER_SERVICES;
    this.#services.set(name, (this.#services.get(name) ?? 0) + count);
  }
}
