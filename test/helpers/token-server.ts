/** An identity provider: gives unsigned tokens to whoever shows the right client credentials. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface TokenServer {
  readonly url: string;
  /** The forms of all requests, in order. */
  readonly requests: URLSearchParams[];
  /** What is answered from now on. */
  mode: 'good' | 'unavailable' | 'refused' | 'nonsense' | 'redirect';
  close(): Promise<void>;
}

/** A JWT without a signature, which a broker of the tests accepts (RFC 7519, section 6). */
export function unsignedToken(subject: string, lifetimeSeconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: subject, iat: now - 1, exp: now + lifetimeSeconds };
  const parts = [{ alg: 'none' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  return `${parts.join('.')}.`;
}

/** Decoded as RFC 6749, section 2.3.1, wants it. */
function basicCredentials(header = ''): string[] {
  const decoded = Buffer.from(header.replace(/^Basic /, ''), 'base64').toString();
  return decoded.split(':').map(decodeURIComponent);
}

export async function startTokenServer(options: {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly lifetimeSeconds: number;
}): Promise<TokenServer> {
  const requests: URLSearchParams[] = [];
  const http = createServer(async (request, response) => {
    requests.push(new URLSearchParams(await text(request)));
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json', location: '/elsewhere' });
      response.end(JSON.stringify(body));
    };
    if (server.mode === 'unavailable') return answer(503, {});
    if (server.mode === 'refused') return answer(400, { error: 'unauthorized_client' });
    if (server.mode === 'nonsense') return answer(200, { access_token: 'not\u0001a token' });
    if (server.mode === 'redirect') return answer(307, {});
    const [id, secret] = basicCredentials(request.headers.authorization);
    if (id !== options.clientId || secret !== options.clientSecret) {
      return answer(401, {
        error: 'invalid_client',
        error_description: String(request.headers.authorization),
      });
    }
    answer(200, {
      access_token: unsignedToken(options.clientId, options.lifetimeSeconds),
      token_type: 'Bearer',
      expires_in: options.lifetimeSeconds,
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const server: TokenServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/token`,
    requests,
    mode: 'good',
    close: async () => {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
  return server;
}
