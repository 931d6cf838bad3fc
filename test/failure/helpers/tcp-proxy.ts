/**
 * A TCP proxy between the service and a broker that misbehaves in the ways of real networks. Kafka's
 * requests are looked at only where a fault needs it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProxiedConnection } from './proxied-connection.ts';

export type Fault =
  | { readonly kind: 'none' }
  /** Every answer comes so much later. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Answers trickle at this rate, over all connections together. */
  | { readonly kind: 'bandwidth'; readonly bytesPerSecond: number }
  /** So many bytes of every connection's answers arrive in packets of one byte, the rest as it comes. */
  | { readonly kind: 'slices'; readonly bytes: number }
  /** Every connection is reset in the middle of an answer, after about so many bytes of answers. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Connections are accepted, and swallow what they are sent; those that did so stay that way. */
  | { readonly kind: 'black-hole' }
  /** Requests with this API key reach the broker, whose answer is lost with the connection. */
  | { readonly kind: 'drop-answer'; readonly apiKey: number };

const PIECE_BYTES = 4096;

export class TcpProxy {
  /** How often the present fault took effect. */
  hits = 0;
  readonly #target: number;
  readonly #host: string;
  readonly #server: Server;
  readonly #connections = new Set<ProxiedConnection>();
  #fault: Fault = { kind: 'none' };
  /** When the bandwidth allows the next piece, as of `performance.now()`. */
  #nextPieceAt = 0;

  private constructor(host: string, target: number) {
    this.#host = host;
    this.#target = target;
    this.#server = createServer((client) => this.#accept(client));
  }

  /** Listens on `port` of `host` and forwards to the port `target`. */
  static async listen(host: string, port: number, target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(host, target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(port, host, resolve);
    });
    return proxy;
  }

  /** From now on, also on connections that are open. */
  set(fault: Fault): void {
    this.#fault = fault;
    this.hits = 0;
    for (const connection of this.#connections) connection.faultyBytes = 0;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.end();
    await closed;
  }

  #accept(client: Socket): void {
    const connection = new ProxiedConnection(client, this.#host, this.#target);
    this.#connections.add(connection);
    connection.onEnd(() => this.#connections.delete(connection));
    connection.client.on('data', (chunk: Buffer) => this.#request(connection, chunk));
    connection.broker.on('data', (chunk: Buffer) => {
      const arrivedAt = performance.now();
      connection.inOrder(() => this.#answer(connection, chunk, arrivedAt));
    });
  }

  #request(connection: ProxiedConnection, chunk: Buffer): void {
    const fault = this.#fault;
    if (fault.kind === 'black-hole') connection.isHole = true;
    if (connection.isHole) {
      this.hits += 1;
      return;
    }
    const apiKeys = connection.readRequests(chunk);
    if (fault.kind === 'drop-answer') connection.awaitAnswersTo(apiKeys, fault.apiKey);
    connection.broker.write(chunk);
  }

  /** Gives what came of an answer to the client as the fault has it. */
  async #answer(connection: ProxiedConnection, chunk: Buffer, arrivedAt: number): Promise<void> {
    const fault = this.#fault;
    const completesDropped = connection.readAnswers(chunk);
    if (connection.isHole) return;
    switch (fault.kind) {
      case 'none':
      case 'black-hole':
        break;
      case 'latency':
        this.hits += 1;
        await sleep(Math.max(0, arrivedAt + fault.ms - performance.now()));
        break;
      case 'bandwidth':
        return this.#trickle(connection, chunk, fault.bytesPerSecond);
      case 'slices':
        return this.#slice(connection, chunk, fault.bytes);
      case 'reset':
        connection.faultyBytes += chunk.length;
        if (connection.faultyBytes < fault.afterBytes) break;
        this.hits += 1;
        return connection.reset(chunk.subarray(0, chunk.length >> 1));
      case 'drop-answer':
        if (!completesDropped) break;
        this.hits += 1;
        return connection.reset();
    }
    connection.client.write(chunk);
  }

  async #trickle(connection: ProxiedConnection, chunk: Buffer, bytesPerSecond: number): Promise<void> {
    for (let start = 0; start < chunk.length && !connection.ended; start += PIECE_BYTES) {
      const piece = chunk.subarray(start, start + PIECE_BYTES);
      const now = performance.now();
      const startsAt = Math.max(now, this.#nextPieceAt);
      this.#nextPieceAt = startsAt + (piece.length / bytesPerSecond) * 1000;
      this.hits += 1;
      await sleep(this.#nextPieceAt - now);
      connection.client.write(piece);
    }
  }

  async #slice(connection: ProxiedConnection, chunk: Buffer, bytes: number): Promise<void> {
    const sliced = Math.max(0, Math.min(chunk.length, bytes - connection.faultyBytes));
    connection.faultyBytes += sliced;
    for (let position = 0; position < sliced && !connection.ended; position += 1) {
      this.hits += 1;
      connection.client.write(chunk.subarray(position, position + 1));
      // The next byte leaves in another packet.
      await new Promise((resolve) => setImmediate(resolve));
    }
    connection.client.write(chunk.subarray(sliced));
  }
}
