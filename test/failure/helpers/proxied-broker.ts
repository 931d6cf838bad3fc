/** A broker with two addresses: its own, and that of a proxy, which it advertises to whoever comes that way. */
import { type EmbeddedKafka, startKafka } from '../../../scripts/kafka/embedded-kafka.ts';
import { freePort } from '../../../scripts/kafka/ports.ts';
import { TcpProxy } from './tcp-proxy.ts';

const HOST = '127.0.0.1';

export interface ProxiedBroker {
  /** The direct address, for the test. */
  readonly bootstrap: string;
  /** The address of the proxy, for the service. */
  readonly proxied: string;
  readonly proxy: TcpProxy;
  readonly broker: EmbeddedKafka;
  stop(): Promise<void>;
}

export async function startProxiedBroker(): Promise<ProxiedBroker> {
  const ports = new Set<number>();
  while (ports.size < 4) ports.add(await freePort(HOST));
  const [port = 0, behindProxy = 0, controllerPort = 0, proxyPort = 0] = ports;
  const broker = await startKafka({
    port,
    controllerPort,
    extraProperties: {
      listeners: [
        `PLAINTEXT://${HOST}:${port}`,
        `PROXIED://${HOST}:${behindProxy}`,
        `CONTROLLER://${HOST}:${controllerPort}`,
      ].join(','),
      'advertised.listeners': `PLAINTEXT://${HOST}:${port},PROXIED://${HOST}:${proxyPort}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    },
  });
  const proxy = await TcpProxy.listen(HOST, proxyPort, behindProxy);
  return {
    bootstrap: broker.bootstrap,
    proxied: `${HOST}:${proxyPort}`,
    proxy,
    broker,
    stop: async () => {
      await proxy.close();
      await broker.stop();
    },
  };
}
