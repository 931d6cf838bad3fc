import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports below the range from which Linux takes the local ports of outgoing connections (32768 and up):
 * a broker that restarts on its port must not find it taken by some client's connection.
 */
const LOWEST_PORT = 20_000;
const PORT_AFTER_HIGHEST = 32_000;
const ATTEMPTS = 100;

/** Two different ports that nobody listens on right now. */
export async function twoFreePorts(host: string): Promise<[number, number]> {
  const first = await freePort(host);
  let second = await freePort(host);
  while (second === first) second = await freePort(host);
  return [first, second];
}

/** A port that nobody listens on right now. */
export async function freePort(host: string): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST_PORT, PORT_AFTER_HIGHEST);
    if (await isFree(host, port)) return port;
  }
  throw new Error(`found no free port of ${host} in ${ATTEMPTS} attempts`);
}

/** Whether nobody listens on `port` right now. */
export async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
