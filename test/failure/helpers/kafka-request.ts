/** Requests of the Kafka protocol that kafkajs does not offer, written by hand. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface HandwrittenRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** What comes after the request header of version 1. */
  readonly body: Buffer;
}

const CORRELATION_ID = 0;
const LENGTH_BYTES = 4;
const RESPONSE_HEADER_BYTES = 4;

/** Asks the broker at `host:port` and returns what comes after the header of its answer. */
export async function askBroker(address: string, request: HandwrittenRequest): Promise<Buffer> {
  const [host = '127.0.0.1', port = ''] = address.split(':');
  const header = Buffer.alloc(8);
  header.writeInt16BE(request.apiKey, 0);
  header.writeInt16BE(request.apiVersion, 2);
  header.writeInt32BE(CORRELATION_ID, 4);
  const content = Buffer.concat([header, text('test'), request.body]);
  const socket = connect(Number(port), host);
  try {
    await once(socket, 'connect');
    socket.write(Buffer.concat([int32(content.length), content]));
    let answer = Buffer.alloc(0);
    for await (const chunk of socket) {
      answer = Buffer.concat([answer, chunk as Buffer]);
      if (answer.length >= LENGTH_BYTES && answer.length >= LENGTH_BYTES + answer.readInt32BE(0)) break;
    }
    return answer.subarray(LENGTH_BYTES + RESPONSE_HEADER_BYTES);
  } finally {
    socket.destroy();
  }
}

/** A string: its length as INT16, then UTF-8. */
export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** An array: the number of its elements as INT32, then the elements. */
export function array(elements: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(elements.length), ...elements]);
}
