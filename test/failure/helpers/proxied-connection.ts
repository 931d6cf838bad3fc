/** A client's connection to the proxy together with the proxy's own to the broker. */
import { Socket } from 'node:net';
import { ANSWER_HEAD_BYTES, FrameReader, REQUEST_HEAD_BYTES } from './kafka-frames.ts';

interface Request {
  readonly apiKey: number;
  readonly correlationId: number;
}

export class ProxiedConnection {
  readonly client: Socket;
  readonly broker = new Socket();
  /** Bytes of answers that the present fault has counted. */
  faultyBytes = 0;
  /** Swallows everything, and never answers again. */
  isHole = false;
  ended = false;
  readonly #requests = new FrameReader(REQUEST_HEAD_BYTES);
  readonly #answers = new FrameReader(ANSWER_HEAD_BYTES);
  readonly #droppedIds = new Set<number>();
  #last = Promise.resolve();

  constructor(client: Socket, host: string, port: number) {
    this.client = client;
    for (const socket of [client, this.broker]) {
      socket
        .setNoDelay()
        .on('close', () => this.end())
        // 'close' follows, and ends the other side.
        .on('error', () => undefined);
    }
    this.broker.connect(port, host);
  }

  onEnd(listener: () => void): void {
    this.client.once('close', listener);
  }

  /** Runs after everything that was given before. */
  inOrder(work: () => Promise<void>): void {
    this.#last = this.#last.then(() => (this.ended ? undefined : work()));
  }

  /** The requests that begin in `chunk`. */
  readRequests(chunk: Buffer): Request[] {
    return this.#requests.push(chunk).map((head) => ({
      apiKey: head.readInt16BE(0),
      correlationId: head.readInt32BE(4),
    }));
  }

  /** The answers to those `requests` that have the API key are not to arrive. */
  awaitAnswersTo(requests: readonly Request[], apiKey: number): void {
    for (const request of requests) {
      if (request.apiKey === apiKey) this.#droppedIds.add(request.correlationId);
    }
  }

  /** Whether an answer begins in `chunk` that is not to arrive. */
  readAnswers(chunk: Buffer): boolean {
    return this.#answers.push(chunk).some((head) => this.#droppedIds.has(head.readInt32BE(0)));
  }

  end(): void {
    this.ended = true;
    this.client.destroy();
    this.broker.destroy();
  }

  /** The client gets `last`, and then ECONNRESET. */
  async reset(last: Buffer = Buffer.alloc(0)): Promise<void> {
    await new Promise((resolve) => this.client.write(last, resolve));
    this.ended = true;
    this.client.resetAndDestroy();
    this.broker.destroy();
  }
}
