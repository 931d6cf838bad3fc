/**
 * A TCP proxy between the service and a broker that can misbehave in the ways of real networks. Kafka
 * requests are told apart only as far as the faults need it (kafka-frames.ts).
 */
import { createServer, type Server, Socket } from 'node:net';
import { FrameReader } from './kafka-frames.ts';

export type Fault =
  | { readonly kind: 'none' }
  /** Every answer comes so much later. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Answers trickle at this rate, over all connections together. */
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** Answers arrive in pieces of one byte for so many bytes of every connection, then whole. */
  | { readonly kind: 'slices'; readonly bytes: number }
  /** Every connection is reset after so many bytes of answers: in the middle of one. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Connections are accepted, and what they send is swallowed. */
  | { readonly kind: 'black-hole' }
  /** The requests with this API key reach the broker, and then the connection ends without the answer. */
  | { readonly kind: 'drop-answer'; readonly apiKey: number };

interface Target {
  readonly host: string;
  readonly port: number;
}

export class TcpProxy {
  /** How often the fault took effect: connections reset or swallowed, answers delayed or dropped. */
  hits = 0;
  readonly #target: Target;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #fault: Fault = { kind: 'none' };
  #budgetFreeAt = 0;

  private constructor(target: Target) {
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on `port` and forwards to `target`. */
  static async listen(port: number, target: Target): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(port, target.host, resolve);
    });
    return proxy;
  }

  /** From now on, also on connections that are open. */
  set(fault: Fault): void {
    this.#fault = fault;
    this.hits = 0;
    for (const pair of this.#pairs) pair.received = 0;
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) pair.end();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const broker = new Socket();
    const pair = new Pair(client, broker);
    this.#pairs.add(pair);
    const forget = (): void => {
      pair.end();
      this.#pairs.delete(pair);
    };
    for (const socket of [client, broker]) socket.setNoDelay().on('close', forget).on('error', forget);
    broker.connect(this.#target.port, this.#target.host);
    client.on('data', (chunk) => this.#request(pair, chunk));
    broker.on('data', (chunk) => {
      pair.answers = pair.answers.then(() => this.#answer(pair, chunk));
    });
  }

  #request(pair: Pair, chunk: Buffer): void {
    if (this.#fault.kind === 'black-hole') {
      this.hits += 1;
      return;
    }
    for (const { apiKey } of pair.requests.push(chunk)) {
      if (this.#fault.kind === 'drop-answer' && apiKey === this.#fault.apiKey) pair.swallow = true;
    }
    pair.broker.write(chunk);
  }

  /** Gives a piece of an answer to the client, in order and as the fault has it. */
  async #answer(pair: Pair, chunk: Buffer): Promise<void> {
    const fault = this.#fault;
    switch (fault.kind) {
      case 'none':
        break;
      case 'black-hole':
        return;
      case 'latency':
        this.hits += 1;
        await wait(fault.ms);
        break;
      case 'bandwidth':
        return this.#trickle(pair, chunk, fault.bytesPerSecond);
      case 'slices':
        return this.#slice(pair, chunk, fault.bytes);
      case 'reset':
        pair.received += chunk.length;
        if (pair.received < fault.afterBytes) break;
        this.hits += 1;
        pair.client.write(chunk.subarray(0, chunk.length >> 1), () => pair.reset());
        return;
      case 'drop-answer':
        if (!pair.swallow) break;
        this.hits += 1;
        pair.reset();
        return;
    }
    pair.client.write(chunk);
  }

  async #trickle(pair: Pair, chunk: Buffer, bytesPerSecond: number): Promise<void> {
    const PIECE_BYTES = 4096;
    for (let start = 0; start < chunk.length && !pair.ended; start += PIECE_BYTES) {
      const piece = chunk.subarray(start, start + PIECE_BYTES);
      const now = performance.now();
      this.#budgetFreeAt = Math.max(now, this.#budgetFreeAt) + (piece.length / bytesPerSecond) * 1000;
      this.hits += 1;
      await wait(this.#budgetFreeAt - now);
      pair.client.write(piece);
    }
  }

  async #slice(pair: Pair, chunk: Buffer, bytes: number): Promise<void> {
    const sliced = Math.max(0, Math.min(chunk.length, bytes - pair.received));
    for (let position = 0; position < sliced && !pair.ended; position += 1) {
      this.hits += 1;
      pair.received += 1;
      pair.client.write(chunk.subarray(position, position + 1));
      // The next byte leaves in another packet.
      await new Promise((resolve) => setImmediate(resolve));
    }
    pair.client.write(chunk.subarray(sliced));
  }
}

/** A client's connection and ours to the broker. */
class Pair {
  readonly client: Socket;
  readonly broker: Socket;
  readonly requests = new FrameReader();
  /** Settles when everything received of the broker was given to the client. */
  answers = Promise.resolve();
  /** Bytes of answers since the fault was set. */
  received = 0;
  swallow = false;
  ended = false;

  constructor(client: Socket, broker: Socket) {
    this.client = client;
    this.broker = broker;
  }

  end(): void {
    this.ended = true;
    this.client.destroy();
    this.broker.destroy();
  }

  /** The client sees ECONNRESET. */
  reset(): void {
    this.ended = true;
    this.client.resetAndDestroy();
    this.broker.destroy();
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
