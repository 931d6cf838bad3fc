/** The text of `server.properties` for one KRaft node that is broker and controller. */

export type SecurityProtocol = 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';

/** A port beside the one in the clear. */
export interface ExtraListener {
  readonly name: string;
  readonly protocol: SecurityProtocol;
  readonly port: number;
}

export interface BrokerLayout {
  readonly host: string;
  readonly extraListeners: readonly ExtraListener[];
  readonly port: number;
  readonly controllerPort: number;
  readonly dataDirectory: string;
}

/** Later entries win, so `extra` can override every setting of the embedded broker. */
export function serverProperties(layout: BrokerLayout, extra: Readonly<Record<string, string>>): string {
  const { host, port, controllerPort, dataDirectory, extraListeners } = layout;
  const listeners = [
    `PLAINTEXT://${host}:${port}`,
    ...extraListeners.map((listener) => `${listener.name}://${host}:${listener.port}`),
  ];
  const protocols = extraListeners.map(({ name, protocol }) => `${name}:${protocol}`);
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${host}:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...listeners, `CONTROLLER://${host}:${controllerPort}`].join(','),
    'advertised.listeners': listeners.join(','),
    'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...protocols].join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDirectory,
    'auto.create.topics.enable': 'false',
    // A single node cannot replicate.
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // A group forms at once, and its first use does not create 50 partitions.
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    // After a kill the controller admits the new process only when the session of the old one has expired.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    // The default of 128 MiB is taken from the heap at start.
    'log.cleaner.dedupe.buffer.size': '16777216',
    ...extra,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
