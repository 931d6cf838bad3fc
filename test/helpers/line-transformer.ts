/**
 * A stand-in for RecordTransformer whose outcome is told by the first byte of the value:
 * `-` is below the minimum level, `?` is quarantined, a digit 1 to 7 is the set of categories; anything
 * else, and no value, is written as it is. Lines are `<offset> <value>`.
 */
import { LEVEL_RANK } from '../../src/core/level.ts';
import type { QuarantineReason } from '../../src/core/quarantine.ts';
import type { LineBuffer } from '../../src/transform/line-buffer.ts';
import type { RawRecord } from '../../src/transform/raw-record.ts';
import type { UnitRecordTransformer } from '../../src/transform/unit.ts';

export class LineTransformer implements UnitRecordTransformer {
  categories = 0;
  levelRank: number = LEVEL_RANK.INFO;
  timestampMs = 0;
  serviceId = 0;
  missingTimestamp = false;
  unknownLevel = false;
  quarantineReason: QuarantineReason | null = null;

  private readonly services: string[] = [];

  transform(record: RawRecord, _source: unknown, lines: LineBuffer, quarantine: LineBuffer): 0 | 1 | 2 {
    const value = textOf(record, record.valueStart, record.valueEnd);
    const key = textOf(record, record.keyStart, record.keyEnd);
    this.quarantineReason = value.startsWith('?') ? 'not_json' : null;
    if (this.quarantineReason !== null) {
      append(quarantine, `${record.offset} ${value}\n`);
      return 2;
    }
    if (value.startsWith('-')) return 1;
    this.categories = /^[1-7]/.test(value) ? Number(value[0]) : 0;
    this.timestampMs = record.timestamp;
    this.missingTimestamp = value.includes('no-timestamp');
    this.unknownLevel = value.includes('no-level');
    this.levelRank = value.includes('error') ? LEVEL_RANK.ERROR : LEVEL_RANK.INFO;
    this.serviceId = this.idOf(key);
    append(lines, `${record.offset} ${value}\n`);
    return 0;
  }

  serviceName(id: number): string {
    return this.services[id] ?? '';
  }

  private idOf(service: string): number {
    const known = this.services.indexOf(service);
    return known >= 0 ? known : this.services.push(service) - 1;
  }
}

function textOf(record: RawRecord, start: number, end: number): string {
  return start < 0 ? '' : Buffer.from(record.bytes.subarray(start, end)).toString();
}

function append(buffer: LineBuffer, text: string): void {
  const bytes = Buffer.from(text);
  buffer.reserve(bytes.length);
  buffer.bytes.set(bytes, buffer.length);
  buffer.length += bytes.length;
}
