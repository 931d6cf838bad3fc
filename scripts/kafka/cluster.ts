/**
 * A Kafka cluster of several KRaft nodes on the loopback interface, each broker and controller, for
 * failure tests. Topics, offsets and transactions are kept on all nodes; a majority has to run.
 */
import { ensureClassArchive } from './class-archive.ts';
import { type EmbeddedKafka, newClusterId, startPrepared } from './embedded-kafka.ts';
import { prepareJavaCommand } from './java-command.ts';
import { freePort } from './ports.ts';

const HOST = '127.0.0.1';

export interface KafkaCluster {
  /** All nodes as `host:port`, separated by commas. */
  readonly bootstrap: string;
  /** The nodes in the order of their ids, which begin at 1. */
  readonly nodes: readonly EmbeddedKafka[];
  /** Ends all nodes and removes their data. */
  stop(): Promise<void>;
}

/** Starts `size` nodes and returns when all of them answer. */
export async function startCluster(size: number): Promise<KafkaCluster> {
  const command = await prepareJavaCommand(process.env);
  await ensureClassArchive(command, startPrepared);
  const ports = await differentPorts(2 * size);
  const ids = Array.from({ length: size }, (_, index) => index + 1);
  const controllerPort = (id: number): number => ports[size + id - 1] ?? 0;
  const voters = ids.map((id) => `${id}@${HOST}:${controllerPort(id)}`).join(',');
  const clusterId = newClusterId();
  const started = await Promise.allSettled(
    ids.map((id) => {
      const extraProperties = {
        ...replicated(size),
        'node.id': String(id),
        'controller.quorum.voters': voters,
      };
      const place = { port: ports[id - 1] ?? 0, controllerPort: controllerPort(id) };
      return startPrepared(command, { ...place, clusterId, extraProperties });
    }),
  );
  const nodes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const failed = started.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return { bootstrap: nodes.map((node) => node.bootstrap).join(','), nodes, stop };
}

/** Everything is on all nodes, and one of them may be missing. */
function replicated(size: number): Record<string, string> {
  const factor = String(size);
  const needed = String(Math.max(1, size - 1));
  return {
    'default.replication.factor': factor,
    'min.insync.replicas': needed,
    'offsets.topic.replication.factor': factor,
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': needed,
    // Leaders move when a test says so.
    'auto.leader.rebalance.enable': 'false',
    // A follower that was killed is left out soon, so that producers go on.
    'replica.lag.time.max.ms': '3000',
  };
}

async function differentPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort(HOST));
  return [...ports];
}
