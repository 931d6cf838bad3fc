/**
 * Moves the leaders of a topic's partitions to other brokers: the first replica of a partition is the
 * one that should lead, so the replicas are put into another order and the preferred leaders elected
 * (ElectLeaders, version 0 of the protocol, written by hand: kafkajs does not have it).
 */
import { withAdmin } from '../../helpers/kafka.ts';
import { array, askBroker, int32, text } from './kafka-request.ts';

const ELECT_LEADERS = 43;
const TIMEOUT_MS = 10_000;

/** The broker id that leads each partition. */
export async function leadersOf(bootstrap: string, topic: string): Promise<Map<number, number>> {
  const { topics } = await withAdmin(bootstrap, (admin) => admin.fetchTopicMetadata({ topics: [topic] }));
  const leaders = (topics[0]?.partitions ?? []).map((entry) => [entry.partitionId, entry.leader] as const);
  return new Map(leaders.sort(([a], [b]) => a - b));
}

/** Moves every partition to the next of its replicas. A replica that is not in sync gets no leader. */
export async function moveLeaders(bootstrap: string, topic: string): Promise<void> {
  const partitions = await withAdmin(bootstrap, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const known = topics[0]?.partitions ?? [];
    const partitionAssignment = known.map(({ partitionId, leader, replicas }) => ({
      partition: partitionId,
      replicas: rotated(replicas, replicas.indexOf(leader) + 1),
    }));
    await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] });
    return known.map(({ partitionId }) => partitionId);
  });
  const topics = array([Buffer.concat([text(topic), array(partitions.map(int32))])]);
  const body = Buffer.concat([topics, int32(TIMEOUT_MS)]);
  const [address = ''] = bootstrap.split(',');
  await askBroker(address, { apiKey: ELECT_LEADERS, apiVersion: 0, body });
}

function rotated(replicas: readonly number[], first: number): number[] {
  const start = first % replicas.length;
  return [...replicas.slice(start), ...replicas.slice(0, start)];
}
