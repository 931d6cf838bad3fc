import { LEVELS } from '../core/level.ts';
import type { LineFacts } from '../core/messages.ts';

/** Collects the facts of a unit's lines without allocating per record. Used again for every unit. */
export class LineFactsCounter {
  private minTimestamp = Number.POSITIVE_INFINITY;
  private maxTimestamp = Number.NEGATIVE_INFINITY;
  private readonly levels = new Uint32Array(LEVELS.length);
  /** Records by service id; ids start at 0 and are dense. */
  private serviceCounts = new Uint32Array(256);
  private readonly serviceIds: number[] = [];

  reset(): void {
    this.minTimestamp = Number.POSITIVE_INFINITY;
    this.maxTimestamp = Number.NEGATIVE_INFINITY;
    this.levels.fill(0);
    for (const id of this.serviceIds) this.serviceCounts[id] = 0;
    this.serviceIds.length = 0;
  }

  /** Counts one written record. */
  add(timestampMs: number, levelRank: number, serviceId: number): void {
    if (timestampMs < this.minTimestamp) this.minTimestamp = timestampMs;
    if (timestampMs > this.maxTimestamp) this.maxTimestamp = timestampMs;
    this.levels[levelRank] = (this.levels[levelRank] ?? 0) + 1;
    if (serviceId >= this.serviceCounts.length) this.growTo(serviceId);
    const count = this.serviceCounts[serviceId] as number;
    if (count === 0) this.serviceIds.push(serviceId);
    this.serviceCounts[serviceId] = count + 1;
  }

  facts(serviceName: (id: number) => string): LineFacts {
    // Without a prototype: a service may be called `__proto__`.
    const services: Record<string, number> = Object.create(null);
    for (const id of this.serviceIds) {
      const name = serviceName(id);
      services[name] = (services[name] ?? 0) + (this.serviceCounts[id] as number);
    }
    const hasRecords = this.serviceIds.length > 0;
    return {
      minTimestamp: hasRecords ? this.minTimestamp : null,
      maxTimestamp: hasRecords ? this.maxTimestamp : null,
      levels: [...this.levels],
      services,
    };
  }

  private growTo(serviceId: number): void {
    const grown = new Uint32Array(Math.max(serviceId + 1, this.serviceCounts.length * 2));
    grown.set(this.serviceCounts);
    this.serviceCounts = grown;
  }
}
