/**
 * `npm run bench`: how fast the service empties a topic, beside kcat and rsyslog on the same machine.
 * Described in docs/benchmarks.md. Prints a table on standard error and one JSON object on standard output.
 */
import { execFileSync } from 'node:child_process';
import { compare, figuresOf, judge, type RunFigures, spreadOf } from './figures.ts';
import { describeMachine } from './machine.ts';
import { kcat } from './peers/kcat.ts';
import { logConsumer } from './peers/log-consumer.ts';
import type { Peer } from './peers/peer.ts';
import { rsyslog } from './peers/rsyslog.ts';
import { type PreloadedTopic, preloadTopic } from './preload.ts';
import { type BenchSettings, readSettings } from './settings.ts';
import { formatTable } from './table.ts';
import { type Workbench, withWorkbench } from './workbench.ts';

const DEFAULT_RECORDS = 2_000_000;
/** A run is given up when it is slower than this; kcat and the service need a small part of it. */
const SLOWEST_RECORDS_PER_SECOND = 15_000;
const MIN_TIMEOUT_MS = 60_000;

const HEADINGS = [
  'peer (median of rounds)',
  'records/s',
  'from 1st output',
  'CPU µs/record',
  'peak MiB',
  'version',
];

interface PeerFigures {
  readonly peer: Peer;
  /** Null: not installed. */
  readonly version: string | null;
  readonly runs: RunFigures[];
}

const settings = readSettings(process.env, DEFAULT_RECORDS);
process.exitCode = await withWorkbench(settings, async (bench) => {
  const peers = await findPeers(settings);
  bench.say(`Filling a topic with ${settings.records.toLocaleString('en')} records ...`);
  const topic = await preloadTopic(bench.broker, `bench-${process.pid}`, settings.records, bench.signal);
  bench.say(describeTopic(topic));
  for (let round = 1; round <= settings.rounds; round += 1) {
    for (const figures of peers) {
      if (figures.version !== null) await runOnce(bench, topic, figures, round);
    }
  }
  report(bench, topic, peers);
});

async function findPeers({ only, profile }: BenchSettings): Promise<PeerFigures[]> {
  const all = [logConsumer({ profile }), rsyslog, kcat];
  const wanted = all.filter(
    ({ name }) => only === null || name === (only === 'ours' ? 'log-consumer' : only),
  );
  if (wanted.length === 0) throw new RangeError(`BENCH_ONLY must be ours, kcat or rsyslog, not "${only}"`);
  return Promise.all(wanted.map(async (peer) => ({ peer, version: await peer.version(), runs: [] })));
}

function describeTopic(topic: PreloadedTopic): string {
  const rate = Math.round(topic.records / topic.seconds).toLocaleString('en');
  return (
    `  ${topic.meanRecordBytes.toFixed(1)} bytes per record, LZ4 ${topic.compressionRatio.toFixed(2)}:1, ` +
    `batches of ${Math.round(topic.batchUncompressedBytes / 1024)} KiB uncompressed, ${rate} records/s`
  );
}

async function runOnce(
  bench: Workbench,
  topic: PreloadedTopic,
  { peer, runs }: PeerFigures,
  round: number,
): Promise<void> {
  const runId = `${topic.topic}-${peer.name}-${round}`;
  const timeoutMs = Math.max(MIN_TIMEOUT_MS, (topic.records / SLOWEST_RECORDS_PER_SECOND) * 1000);
  const figures = await bench.inDirectory(runId, async (directory) => {
    // What the run before left to the kernel would be written to the disk during this one.
    execFileSync('sync');
    const run = await peer.run({
      broker: bench.broker,
      topic,
      directory,
      runId,
      timeoutMs,
      signal: bench.signal,
    });
    return figuresOf(run, topic.records);
  });
  runs.push(figures);
  const wrong = figures.problems.length === 0 ? '' : `  WRONG: ${figures.problems.join('; ')}`;
  bench.say(
    `  round ${round}  ${peer.name.padEnd(12)} ${figures.recordsPerSecond.toLocaleString('en').padStart(9)}/s  ` +
      `${figures.cpuMicrosPerRecord.toFixed(2)} µs  ${figures.peakResidentMiB} MiB${wrong}`,
  );
}

function report(bench: Workbench, topic: PreloadedTopic, peers: readonly PeerFigures[]): void {
  const runsOf = (name: string): RunFigures[] => peers.find(({ peer }) => peer.name === name)?.runs ?? [];
  const ours = runsOf('log-consumer');
  const againstRsyslog = compare(ours, runsOf('rsyslog'));
  const goals = judge(ours, againstRsyslog);
  const result = {
    machine: describeMachine(),
    records: topic.records,
    meanRecordBytes: Math.round(topic.meanRecordBytes * 10) / 10,
    compressionRatio: Math.round(topic.compressionRatio * 100) / 100,
    batchUncompressedBytes: topic.batchUncompressedBytes,
    peers: Object.fromEntries(
      peers.map(({ peer, version, runs }) => [
        peer.name,
        version === null ? { installed: false } : { installed: true, version, ...summaryOf(runs), runs },
      ]),
    ),
    ratios: { rsyslog: againstRsyslog, kcat: compare(ours, runsOf('kcat')) },
    goals,
    ok: peers.every(({ runs }) => runs.every(({ problems }) => problems.length === 0)),
  };
  bench.say(`\n${formatTable([HEADINGS, ...peers.map(rowOf)])}\n`);
  for (const [name, { goal, measured, reached }] of Object.entries(goals)) {
    bench.say(
      `${name}: ${measured ?? 'not measured'}, goal ${goal}: ${reached === null ? '-' : reached ? 'reached' : 'NOT reached'}`,
    );
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function summaryOf(runs: readonly RunFigures[]) {
  return {
    recordsPerSecond: spreadOf(runs.map((run) => run.recordsPerSecond)),
    recordsPerSecondFromFirstOutput: spreadOf(runs.map((run) => run.recordsPerSecondFromFirstOutput)),
    cpuMicrosPerRecord: spreadOf(runs.map((run) => run.cpuMicrosPerRecord)),
    peakResidentMiB: spreadOf(runs.map((run) => run.peakResidentMiB)),
  };
}

function rowOf({ peer, version, runs }: PeerFigures): string[] {
  if (version === null) return [peer.name, 'not installed', '', '', '', ''];
  const summary = summaryOf(runs);
  return [
    peer.name,
    Math.round(summary.recordsPerSecond?.median ?? 0).toLocaleString('en'),
    Math.round(summary.recordsPerSecondFromFirstOutput?.median ?? 0).toLocaleString('en'),
    (summary.cpuMicrosPerRecord?.median ?? 0).toFixed(2),
    String(summary.peakResidentMiB?.max ?? 0),
    version,
  ];
}
