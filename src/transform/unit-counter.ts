import type { UnitCounts } from '../core/messages.ts';
import type { QuarantineReason } from '../core/quarantine.ts';

/** Counts how the records of a unit ended. Used again for every unit. */
export class UnitCounter {
  written = 0;
  filtered = 0;
  quarantined = 0;
  missingTimestamps = 0;
  unknownLevels = 0;

  private readonly quarantineReasons = new Map<QuarantineReason, number>();

  reset(): void {
    this.written = 0;
    this.filtered = 0;
    this.quarantined = 0;
    this.missingTimestamps = 0;
    this.unknownLevels = 0;
    this.quarantineReasons.clear();
  }

  /** Counts `records` that one line of `quarantine.jsonl` stands for. */
  addQuarantined(reason: QuarantineReason, records: number): void {
    this.quarantined += records;
    this.quarantineReasons.set(reason, (this.quarantineReasons.get(reason) ?? 0) + records);
  }

  counts(): UnitCounts {
    return {
      consumed: this.written + this.filtered + this.quarantined,
      written: this.written,
      filtered: this.filtered,
      quarantined: this.quarantined,
      missingTimestamps: this.missingTimestamps,
      unknownLevels: this.unknownLevels,
      quarantineReasons: Object.fromEntries(this.quarantineReasons),
    };
  }
}
