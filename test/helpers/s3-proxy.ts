/** Stands between a client and an S3 server, and cuts every connection from some request on. */
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** Whether the request that is cut off takes effect: then only its answer is lost. */
export type CutMode = 'before' | 'after';

export class S3Proxy {
  readonly #target: URL;
  readonly #server: Server;
  /** Requests that came since the last `reset`, such as `PUT /backup/x`. */
  readonly requests: string[] = [];
  #served = Infinity;
  #mode: CutMode = 'before';
  /** Called at the first request that is not served any more. */
  onCut: () => void = () => undefined;

  private constructor(target: string) {
    this.#target = new URL(target);
    this.#server = createServer((request, response) => this.#handle(request, response));
  }

  static async start(target: string): Promise<S3Proxy> {
    const proxy = new S3Proxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on so many requests are served, and none after them. */
  reset(served = Infinity, mode: CutMode = 'before'): void {
    this.requests.length = 0;
    this.#served = served;
    this.#mode = mode;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    const number = this.requests.length;
    if (number === this.#served + 1) this.onCut();
    if (number > this.#served + (this.#mode === 'after' ? 1 : 0)) {
      request.socket.destroy();
      return;
    }
    const isCut = number > this.#served;
    const { hostname, port } = this.#target;
    const { method = 'GET', url = '/', headers } = request;
    const onward = forward({ hostname, port, method, path: url, headers, agent: false }, (answer) => {
      if (isCut) {
        answer.resume();
        answer.on('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => request.socket.destroy());
    request.pipe(onward);
  }
}
