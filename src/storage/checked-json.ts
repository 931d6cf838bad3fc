/**
 * JSON objects whose last key `checksum` is the CRC-32C of the text before it, so that a torn or altered
 * file is recognised.
 */
import { extendChecksum, formatChecksum } from './checksum.ts';

/** The text of a file with this object and its checksum. */
export function encodeChecked(value: object): string {
  const body = JSON.stringify(value).slice(0, -1);
  return `${body},"checksum":"${checksumOf(body)}"}\n`;
}

/** Inverse of `encodeChecked`, without the checksum; undefined when the text is torn or altered. */
export function decodeChecked(text: string): unknown {
  const match = /,"checksum":"(crc32c:[0-9a-f]{8})"\}\n$/.exec(text.slice(-64));
  if (match === null) return undefined;
  const body = text.slice(0, text.length - match[0].length);
  if (match[1] !== checksumOf(body)) return undefined;
  return JSON.parse(`${body}}`);
}

function checksumOf(body: string): string {
  return formatChecksum(extendChecksum(0, Buffer.from(body)));
}
