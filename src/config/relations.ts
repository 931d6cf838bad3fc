/** What must hold between two settings for either to make sense. */
import { formatBytes, formatDuration } from '../core/units.ts';
import type { Settings } from './schema.ts';
import type { Path } from './tree.ts';

/** `smaller` times `factor` must not be above `larger`. */
interface Relation {
  readonly smaller: string;
  readonly factor: number;
  readonly larger: string;
  readonly unit: 'bytes' | 'duration';
  readonly values: (settings: Settings) => readonly [smaller: number, larger: number];
  readonly reason: string;
}

const RELATIONS: readonly Relation[] = [
  {
    smaller: 'kafka.heartbeat_interval',
    factor: 3,
    larger: 'kafka.session_timeout',
    unit: 'duration',
    values: ({ kafka }) => [kafka.heartbeat_interval, kafka.session_timeout],
    reason: 'two lost heartbeats in a row must not end the membership',
  },
  {
    smaller: 'kafka.session_timeout',
    factor: 1,
    larger: 'kafka.rebalance_timeout',
    unit: 'duration',
    values: ({ kafka }) => [kafka.session_timeout, kafka.rebalance_timeout],
    reason: 'a member that is alive must be given the time to join again',
  },
  {
    smaller: 'kafka.max_wait_time',
    factor: 1,
    larger: 'kafka.heartbeat_interval',
    unit: 'duration',
    values: ({ kafka }) => [kafka.max_wait_time, kafka.heartbeat_interval],
    reason: 'heartbeats are sent between fetches',
  },
  {
    smaller: 'kafka.max_wait_time',
    factor: 2,
    larger: 'kafka.request_timeout',
    unit: 'duration',
    values: ({ kafka }) => [kafka.max_wait_time, kafka.request_timeout],
    reason: 'a broker that waits for records must not look dead',
  },
  {
    smaller: 'kafka.max_bytes_per_partition',
    factor: 1,
    larger: 'kafka.max_bytes',
    unit: 'bytes',
    values: ({ kafka }) => [kafka.max_bytes_per_partition, kafka.max_bytes],
    reason: 'a fetch covers at least one partition',
  },
  {
    smaller: 'kafka.max_bytes_per_partition',
    factor: 1,
    larger: 'transform.queue_bytes',
    unit: 'bytes',
    values: ({ kafka, transform }) => [kafka.max_bytes_per_partition, transform.queue_bytes],
    reason: 'what was fetched of a partition must fit into the queue',
  },
  {
    smaller: 'transform.task_bytes',
    factor: 1,
    larger: 'transform.queue_bytes',
    unit: 'bytes',
    values: ({ transform }) => [transform.task_bytes, transform.queue_bytes],
    reason: 'a task must fit into the queue',
  },
  {
    smaller: 'transform.max_record_bytes',
    factor: 1,
    larger: 'transform.max_decompressed_bytes',
    unit: 'bytes',
    values: ({ transform }) => [transform.max_record_bytes, transform.max_decompressed_bytes],
    reason: 'a record comes out of a decompressed batch',
  },
  {
    smaller: 'output.flush_interval',
    factor: 1,
    larger: 'output.max_file_age',
    unit: 'duration',
    values: ({ output }) => [output.flush_interval, output.max_file_age],
    reason: 'a file must receive its records before it is closed for its age',
  },
];

type OriginOf = (path: Path) => string;

/**
 * The relations that do not hold, one sentence each without a full stop. `originOf` says where a setting
 * was given ("config.yaml line 3: ", "" for a default). Relations of `brokenKeys` are left out: their
 * values are not the ones that somebody wrote.
 */
export function relationProblems(
  settings: Settings,
  brokenKeys: ReadonlySet<string>,
  originOf: OriginOf,
): string[] {
  const loops = loopProblems(settings, brokenKeys, originOf);
  const broken = RELATIONS.filter(
    ({ smaller, larger }) => !brokenKeys.has(smaller) && !brokenKeys.has(larger),
  )
    .filter(({ values, factor }) => {
      const [smaller, larger] = values(settings);
      return smaller * factor > larger;
    })
    .map((relation) => sentence(relation, settings, originOf));
  return [...loops, ...broken];
}

/** What is sent to the topic that is read would come back, be refused again, and be sent again. */
function loopProblems(
  { kafka, quarantine }: Settings,
  brokenKeys: ReadonlySet<string>,
  originOf: OriginOf,
): string[] {
  const key = 'quarantine.dead_letter_topic';
  if (quarantine.dead_letter_topic !== kafka.topic) return [];
  if (brokenKeys.has(key) || brokenKeys.has('kafka.topic')) return [];
  const where = originOf(key.split('.'));
  return [
    `${where}${key} is "${kafka.topic}"; expected another topic than kafka.topic, because what is sent there would come back for ever`,
  ];
}

function sentence(relation: Relation, settings: Settings, originOf: OriginOf): string {
  const { smaller, larger, factor, unit, reason } = relation;
  const format = unit === 'bytes' ? formatBytes : formatDuration;
  const [smallerText = '', largerText = ''] = relation.values(settings).map(format);
  const bound = factor === 1 ? larger : `${FRACTIONS.get(factor) ?? `1/${factor}`} of ${larger}`;
  const where = originOf(smaller.split('.')) || originOf(larger.split('.'));
  return `${where}${smaller} is ${smallerText}; expected at most ${bound} (${largerText}), because ${reason}`;
}

const FRACTIONS: ReadonlyMap<number, string> = new Map([
  [2, 'half'],
  [3, 'a third'],
]);
