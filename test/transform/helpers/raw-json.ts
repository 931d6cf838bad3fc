/** A slow and obvious reader of JSON text that keeps the text of keys and values. */

export interface RawMember {
  /** The key with its quotes, as written. */
  readonly key: string;
  /** The value as written. */
  readonly value: string;
}

const SPACE = ' \t\n\r';

/** Members of the object that is the whole of `text`, which must be valid JSON. */
export function rawMembers(text: string): RawMember[] {
  const members: RawMember[] = [];
  const inner = text.trim().slice(1, -1);
  for (const part of splitOutside(inner, ',')) {
    if (part.trim() === '') continue;
    const [key = '', ...rest] = splitOutside(part, ':');
    members.push({ key: trim(key), value: trim(rest.join(':')) });
  }
  return members;
}

/** Splits at `separator` where it stands outside strings and brackets. */
function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [''];
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (inString && character === '\\') {
      parts[parts.length - 1] += text.slice(i, i + 2);
      i++;
      continue;
    }
    if (character === '"') inString = !inString;
    if (!inString && '{['.includes(character)) depth++;
    if (!inString && '}]'.includes(character)) depth--;
    if (!inString && depth === 0 && character === separator) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.includes(text.charAt(start))) start++;
  while (end > start && SPACE.includes(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

/** The text as it may stand in a line: no tab or line end between tokens, no raw line separators. */
export function onOneLine(text: string): string {
  let result = '';
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (inString && character === '\\') {
      result += text.slice(i, i + 2);
      i++;
      continue;
    }
    if (character === '"') inString = !inString;
    const code = character.charCodeAt(0);
    if (code === 0x85 || code === 0x2028 || code === 0x2029)
      result += `\\u${code.toString(16).padStart(4, '0')}`;
    else if (inString || !'\t\n\r'.includes(character)) result += character;
  }
  return result;
}
