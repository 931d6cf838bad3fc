/**
 * JSON with a checksum of its own, for the small files of `state/`: the last key `checksum` is the CRC-32C
 * of the text before it, so that a torn or altered file is recognised.
 */
import { readFileSync } from 'node:fs';
import { systemCodeOf } from '../core/errors.ts';
import { extendChecksum, formatChecksum } from './checksum.ts';

/** @param value an object with at least one key */
export function encodeChecked(value: object): string {
  const body = JSON.stringify(value).slice(0, -1);
  return `${body},"checksum":"${checksumOf(body)}"}\n`;
}

/** The object without its checksum; undefined when the text is torn or altered. */
export function decodeChecked(text: string): unknown {
  const match = /,"checksum":"(crc32c:[0-9a-f]{8})"\}\n$/.exec(text.slice(-64));
  if (match === null) return undefined;
  const body = text.slice(0, text.length - match[0].length);
  return match[1] === checksumOf(body) ? JSON.parse(`${body}}`) : undefined;
}

/** The text of a file, or undefined when there is none. */
export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function checksumOf(body: string): string {
  return formatChecksum(extendChecksum(0, Buffer.from(body)));
}
