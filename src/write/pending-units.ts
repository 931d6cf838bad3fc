/** Units that wait to be written together: as many as are configured, and no more than keeps buffers going round. */
import { MAX_PENDING_WRITE_BYTES, MAX_PENDING_WRITE_UNITS } from '../core/limits.ts';
import type { WriteUnit } from '../core/messages.ts';

export class PendingUnits {
  readonly #maxRecords: number;
  #units: WriteUnit[] = [];
  #records = 0;
  #bytes = 0;

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  /** In the order in which they came. */
  get units(): readonly WriteUnit[] {
    return this.#units;
  }

  /** Whether they are to be written now. */
  get isFull(): boolean {
    return (
      this.#records >= this.#maxRecords ||
      this.#bytes >= MAX_PENDING_WRITE_BYTES ||
      this.#units.length >= MAX_PENDING_WRITE_UNITS
    );
  }

  push(unit: WriteUnit): void {
    this.#units.push(unit);
    this.#records += unit.counts.consumed;
    this.#bytes += bytesOf(unit);
  }

  /** Takes the first `count` units out. */
  take(count: number): WriteUnit[] {
    const taken = this.#units.splice(0, count);
    for (const unit of taken) {
      this.#records -= unit.counts.consumed;
      this.#bytes -= bytesOf(unit);
    }
    return taken;
  }
}

function bytesOf({ regions }: WriteUnit): number {
  return regions.reduce((sum, { start, end }) => sum + end - start, 0);
}
