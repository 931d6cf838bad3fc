/**
 * Sends ready record batches to one broker over one connection (Produce request version 7), several
 * requests in flight. It exists because encoding through a client library would take longer than the
 * benchmark itself; it is for a single broker without authentication, which is what the benchmark uses.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const PRODUCE_API_KEY = 0;
const PRODUCE_VERSION = 7;
const ACK_LEADER = 1;
const TIMEOUT_MS = 30_000;
const MAX_IN_FLIGHT = 8;
const CLIENT_ID = 'bench-preload';

export interface PartitionBatch {
  readonly partition: number;
  readonly batch: Buffer;
}

export class BatchProducer {
  private readonly socket: Socket;
  private readonly topic: string;
  private inFlight = 0;
  private received: Buffer = Buffer.alloc(0);
  private failure: Error | null = null;
  private wake: () => void = () => undefined;

  private constructor(socket: Socket, topic: string) {
    this.socket = socket;
    this.topic = topic;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the broker closed the connection')));
  }

  /** @param broker `host:port` of the broker that leads all partitions of the topic. */
  static async connect(broker: string, topic: string): Promise<BatchProducer> {
    const separator = broker.lastIndexOf(':');
    const socket = connect(Number(broker.slice(separator + 1)), broker.slice(0, separator));
    await once(socket, 'connect');
    return new BatchProducer(socket, topic);
  }

  /** Sends at most one batch per partition; waits while too many requests are unanswered. */
  async send(batches: readonly PartitionBatch[]): Promise<void> {
    await this.waitUntil(() => this.inFlight < MAX_IN_FLIGHT);
    this.inFlight += 1;
    this.socket.cork();
    this.socket.write(this.requestHead(batches));
    for (const { partition, batch } of batches) {
      const head = Buffer.allocUnsafe(8);
      head.writeInt32BE(partition, 0);
      head.writeInt32BE(batch.length, 4);
      this.socket.write(head);
      this.socket.write(batch);
    }
    this.socket.uncork();
  }

  /** Waits until everything sent is acknowledged. */
  async flush(): Promise<void> {
    await this.waitUntil(() => this.inFlight === 0);
  }

  /** Disconnects at once, whatever is still on its way. */
  close(): void {
    this.socket.removeAllListeners('close');
    this.socket.destroy();
  }

  private requestHead(batches: readonly PartitionBatch[]): Buffer {
    const bodyBytes = batches.reduce((sum, { batch }) => sum + 8 + batch.length, 0);
    const head = Buffer.alloc(14 + CLIENT_ID.length + 2 + 2 + 4 + 4 + 2 + this.topic.length + 4);
    let at = head.writeInt32BE(head.length - 4 + bodyBytes, 0);
    at = head.writeInt16BE(PRODUCE_API_KEY, at);
    at = head.writeInt16BE(PRODUCE_VERSION, at);
    at = head.writeInt32BE(0, at);
    at = head.writeInt16BE(CLIENT_ID.length, at);
    at += head.write(CLIENT_ID, at, 'latin1');
    at = head.writeInt16BE(-1, at); // no transaction
    at = head.writeInt16BE(ACK_LEADER, at);
    at = head.writeInt32BE(TIMEOUT_MS, at);
    at = head.writeInt32BE(1, at);
    at = head.writeInt16BE(this.topic.length, at);
    at += head.write(this.topic, at, 'latin1');
    head.writeInt32BE(batches.length, at);
    return head;
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    while (this.received.length >= 4 && this.received.length >= 4 + this.received.readInt32BE(0)) {
      const end = 4 + this.received.readInt32BE(0);
      this.acknowledge(this.received.subarray(8, end));
      this.received = this.received.subarray(end);
    }
    this.wake();
  }

  private acknowledge(response: Buffer): void {
    this.inFlight -= 1;
    let at = 4 + 2 + this.topic.length;
    const partitions = response.readInt32BE(at);
    at += 4;
    for (let index = 0; index < partitions; index += 1, at += 30) {
      const errorCode = response.readInt16BE(at + 4);
      if (errorCode !== 0) {
        this.fail(
          new Error(
            `the broker refused a batch of partition ${response.readInt32BE(at)} with error ${errorCode}`,
          ),
        );
      }
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.wake();
  }

  private async waitUntil(condition: () => boolean): Promise<void> {
    while (this.failure === null && !condition()) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.failure !== null) throw new Error(`cannot fill topic ${this.topic}: ${this.failure.message}`);
  }
}
