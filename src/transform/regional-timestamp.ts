/**
 * Date and time as people of one region write them, brought into a form that can be read: a clock of 12
 * hours (`5:17:18 PM`), and numbers with the year last (`23.11.2026 17:17:18`, `11/23/2026, 5:17:18 PM`).
 *
 * With points the day comes first. With `/` or `-` the number above 12 is the day; when none is, capital
 * `AM` or `PM` means the month first, as in the United States. Anything else could be either of two days
 * and stays unreadable.
 */

const TWELVE_HOURS = /^(.*\D)(1[0-2]|0?[1-9])(:\d{2}(?::\d{2})?(?:[.,]\d+)?) ?([AP])M\b/i;
const YEAR_LAST = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}),?[ T](\d{1,2}:.*)$/;
const CAPITAL_MERIDIEM = / ?[AP]M\b/;
/** U+202F in UTF-8 read as Latin-1: what newer locale data puts before AM and PM. */
const NARROW_SPACE = /\u00e2\u0080\u00af/g;

/** The same instant with a clock of 24 hours and the year first; null when `text` has no such form. */
export function withoutRegion(text: string): string | null {
  const spaced = text.replace(NARROW_SPACE, ' ');
  const clock = TWELVE_HOURS.exec(spaced);
  const on24Hours = clock === null ? spaced : to24Hours(spaced, clock);
  const date = YEAR_LAST.exec(on24Hours);
  if (date === null) return clock === null ? null : on24Hours;
  const [, first = '', separator, second = '', year, time = ''] = date;
  const isMonthFirst = monthFirst(Number(first), Number(second), separator === '.', spaced);
  if (isMonthFirst === null) return null;
  const [month, day] = isMonthFirst ? [first, second] : [second, first];
  const paddedTime = time[1] === ':' ? `0${time}` : time;
  return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')} ${paddedTime}`;
}

function to24Hours(text: string, match: RegExpExecArray): string {
  const [whole, before = '', hour, rest = '', half = ''] = match;
  const hours = (Number(hour) % 12) + (half.toUpperCase() === 'P' ? 12 : 0);
  return `${before}${String(hours).padStart(2, '0')}${rest}${text.slice(whole.length)}`;
}

/** Null when both orders make a date. */
function monthFirst(first: number, second: number, hasPoints: boolean, text: string): boolean | null {
  if (hasPoints || first > 12) return false;
  if (second > 12 || first === second || CAPITAL_MERIDIEM.test(text)) return true;
  return null;
}
