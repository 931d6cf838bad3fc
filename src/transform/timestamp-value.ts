/** The instant in the value of a timestamp field, whatever its kind. */
import { LATEST_MS } from './calendar.ts';
import { parseEpoch } from './epoch-time.ts';
import { BACKSLASH, decodeString, KIND } from './json-bytes.ts';
import { JsonCursor, scalarText } from './json-cursor.ts';
import { parseTimestampText } from './timestamp-text.ts';

/** Longer strings are no instants; looking at them would cost time for nothing. */
const MAX_TEXT_BYTES = 128;

/** Milliseconds since the epoch, rounded down, of the value at `start`..`end`; NaN when unreadable. */
export function parseTimestampValue(bytes: Uint8Array, start: number, end: number, kind: number): number {
  const ms = readValue(bytes, start, end, kind);
  return ms >= 0 && ms <= LATEST_MS ? ms : Number.NaN;
}

function readValue(bytes: Uint8Array, start: number, end: number, kind: number): number {
  if (kind === KIND.number) return parseEpoch(bytes, start, end);
  if (kind === KIND.object) return parseObject(bytes, start, end);
  if (kind !== KIND.string || end - start > MAX_TEXT_BYTES) return Number.NaN;
  if (bytes.subarray(start, end).includes(BACKSLASH)) {
    const text = Buffer.from(decodeString(bytes, start + 1, end - 1));
    return parseTimestampText(text, 0, text.length);
  }
  return parseTimestampText(bytes, start + 1, end - 1);
}

/**
 * `{"$date": ...}` of MongoDB (with `$numberLong` inside), `{"epochSecond", "nanoOfSecond"}` of Log4j,
 * `{"seconds", "nanos"}` of protobuf, `{"secs_since_epoch", "nanos_since_epoch"}` of Rust's serde,
 * `{"repr", "timestamp"}` of loguru, `{"date", "timezone_type", "timezone"}` of PHP.
 */
function parseObject(bytes: Uint8Array, start: number, end: number): number {
  const cursor = new JsonCursor(bytes, start, end);
  let seconds = Number.NaN;
  let nanoseconds = 0;
  let whole = Number.NaN;
  let date: string | null = null;
  let zone: string | null = null;
  while (cursor.next()) {
    const text = scalarText(bytes, cursor.valueStart, cursor.valueEnd, cursor.kind);
    switch (cursor.key().toLowerCase()) {
      case 'epochsecond':
      case 'seconds':
      case 'epoch_second':
      case 'secs_since_epoch':
        seconds = Number(text ?? Number.NaN);
        break;
      case 'nanoofsecond':
      case 'nanos':
      case 'nanoseconds':
      case 'nano_of_second':
      case 'nanos_since_epoch':
        nanoseconds = Number(text ?? 0);
        break;
      case 'date':
        date = text;
        break;
      case 'timezone':
        zone = text;
        break;
      case '$date':
      case '$numberlong':
      case 'repr':
      case 'timestamp':
      case 'iso':
        if (Number.isNaN(whole)) whole = readValue(bytes, cursor.valueStart, cursor.valueEnd, cursor.kind);
        break;
      default:
        break;
    }
  }
  if (!Number.isNaN(seconds)) return Math.floor(seconds) * 1000 + Math.floor(nanoseconds / 1e6);
  return Number.isNaN(whole) && date !== null && zone !== null ? parseZoned(date, zone) : whole;
}

function parseZoned(date: string, zone: string): number {
  const text = Buffer.from(`${date} ${zone}`);
  return text.length > MAX_TEXT_BYTES ? Number.NaN : parseTimestampText(text, 0, text.length);
}
