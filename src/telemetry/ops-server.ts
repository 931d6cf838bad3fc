/**
 * Metrics and health over HTTP, for machines inside the network: no login, no body is ever read.
 * `GET /metrics`, `GET /health/live`, `GET /health/ready` (both 503 with reasons when not).
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { messageOf, ServiceError, systemCodeOf } from '../core/errors.ts';
import type { Health } from './health.ts';

export interface OpsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly registry: Registry;
  readonly health: Health;
}

export interface OpsServer {
  /** The port that was taken. */
  readonly port: number;
  /** Ends every connection; resolves when the port is free again. */
  close(): Promise<void>;
}

/** A scrape has one small request; whoever needs longer or more is not a scraper. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 8_192,
} as const;

const MAX_CONNECTIONS = 64;

/**
 * Starts serving.
 * @throws ServiceError PORT_UNUSABLE when the address cannot be taken
 */
export async function startOpsServer(options: OpsServerOptions): Promise<OpsServer> {
  const server = createServer(LIMITS, (request, response) => {
    answer(request, options).then(
      (reply) => send(response, reply),
      (error: unknown) => send(response, json(500, { error: messageOf(error) })),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options);
  const address = server.address() as AddressInfo;
  return { port: address.port, close: () => close(server) };
}

async function listen(server: Server, { host, port }: OpsServerOptions): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ServiceError('PORT_UNUSABLE', `${problemOf(error, host, port)}.`, { host, port }, error);
  }
}

function problemOf(error: unknown, host: string, port: number): string {
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use: stop the other process or set another ops.port (OPS_PORT)`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}: set another ops.host (LOG_CONSUMER_OPS_HOST)`;
    case 'EACCES':
      return `Port ${port} needs more rights than this user has: set ops.port (OPS_PORT) to 1024 or higher`;
    default:
      return `Cannot listen on ${host}, port ${port} (ops.host, ops.port): ${messageOf(error)}`;
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function answer(request: IncomingMessage, { registry, health }: OpsServerOptions): Promise<Reply> {
  const resource = resourceAt(request.url ?? '');
  if (resource === undefined)
    return json(404, { error: 'not found; see /metrics, /health/live, /health/ready' });
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return json(405, { error: 'only GET and HEAD are allowed' }, { allow: 'GET, HEAD' });
  }
  switch (resource) {
    case 'metrics':
      return {
        status: 200,
        headers: { 'content-type': registry.contentType },
        body: await registry.metrics(),
      };
    case 'live':
      return json(health.live().live ? 200 : 503, health.live());
    case 'ready':
      return json(health.ready().ready ? 200 : 503, health.ready());
  }
}

function resourceAt(url: string): 'metrics' | 'live' | 'ready' | undefined {
  const [path] = url.split('?', 1);
  if (path === '/metrics') return 'metrics';
  if (path === '/health/live') return 'live';
  return path === '/health/ready' ? 'ready' : undefined;
}

function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { ...headers, 'content-type': 'application/json' },
    body: `${JSON.stringify(value)}\n`,
  };
}

/** A request with a body ends its connection: nobody reads the body. */
function send(response: ServerResponse, { status, headers, body }: Reply): void {
  const { method } = response.req;
  const keep = method === 'GET' || method === 'HEAD';
  response.writeHead(status, {
    ...headers,
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(body),
    ...(keep ? {} : { connection: 'close' }),
  });
  response.end(body);
}
