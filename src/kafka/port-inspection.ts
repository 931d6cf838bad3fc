/**
 * Finds out what a port of a broker expects. A broker that is spoken to in the wrong way just closes the
 * connection, so it is asked in both ways for a SASL mechanism that does not exist; nothing secret is sent.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { systemCodeOf } from '../core/errors.ts';
import type { TlsOptions } from '../core/kafka-security.ts';
import { connectionOptions } from './tls.ts';

export interface PortNature {
  readonly isEncrypted: boolean;
  readonly expectsLogin: boolean;
}

const TIMEOUT_MS = 3000;

/** SaslHandshake, version 0: length, API key, version, correlation id, no client id, mechanism "?". */
const QUESTION = Buffer.from([0, 0, 0, 13, 0, 17, 0, 0, 0, 0, 0, 7, 0xff, 0xff, 0, 1, 0x3f]);
const CORRELATION_ID = 7;
/** Length, correlation id, error code. */
const ANSWER_HEAD_BYTES = 10;
/** What a listener without SASL answers: Kafka's ILLEGAL_SASL_STATE. */
const NO_LOGIN_HERE = 34;

/** Undefined when it cannot be found out. */
export async function inspectPort(broker: string, tls: TlsOptions | null): Promise<PortNature | undefined> {
  const colon = broker.lastIndexOf(':');
  const host = broker.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const port = Number(broker.slice(colon + 1));
  const plain = await ask(connect({ host, port }), 'connect');
  if (plain.expectsLogin !== undefined) return { isEncrypted: false, expectsLogin: plain.expectsLogin };
  const options = tls === null ? { rejectUnauthorized: true } : connectionOptions(tls);
  const encrypted = await ask(connectTls({ host, port, ...options }), 'secureConnect');
  if (encrypted.expectsLogin !== undefined)
    return { isEncrypted: true, expectsLogin: encrypted.expectsLogin };
  return encrypted.isTls ? { isEncrypted: true, expectsLogin: false } : undefined;
}

interface Reply {
  /** Undefined when there was no answer. */
  readonly expectsLogin?: boolean;
  /** Whether a TLS handshake began, however it ended. */
  readonly isTls: boolean;
}

async function ask(socket: Socket, connected: 'connect' | 'secureConnect'): Promise<Reply> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let isTls = false;
  try {
    await once(socket, connected, { signal });
    isTls = connected === 'secureConnect';
    socket.write(QUESTION);
    const head = await firstBytes(socket, signal);
    if (head.readInt32BE(4) !== CORRELATION_ID) return { isTls };
    return { isTls, expectsLogin: head.readInt16BE(8) !== NO_LOGIN_HERE };
  } catch (error) {
    // A certificate was shown, even if it is not one that we trust.
    return { isTls: isTls || /CERT|SIGNATURE/.test(systemCodeOf(error) ?? '') };
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}

async function firstBytes(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of addAbortSignal(signal, socket)) {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length >= ANSWER_HEAD_BYTES) return bytes;
  }
  throw new Error('the broker closed the connection');
}
