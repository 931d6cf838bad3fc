/**
 * rsyslog reads the topic with imkafka, parses every record with mmjsonparse and writes the parsed
 * record with omfile, which is what mmjsonparse is for: JSON in, checked and structured, JSON out.
 *
 * The settings are what its users set for throughput: a large in-memory queue, large dequeue batches,
 * writes of 256 KiB. Of the variants that were tried on 2 cores beside a broker (1, 2 and 4 queue workers,
 * batches of 1,024 to 8,192, one or two inputs), this one had the highest rate together with low CPU.
 * `flushOnTXEnd` writes a batch when it is complete, so that the last lines do not wait for a timer, and
 * with batches of this size costs nothing.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countLines } from '../lines.ts';
import { startMeasured } from '../measured-child.ts';
import { fileState, firstByteMs, waitFor } from '../watch.ts';
import { countProblems, type Peer, type RunContext } from './peer.ts';
import { versionOf } from './version.ts';

const COMMAND = '/usr/sbin/rsyslogd';
const MODULE_DIRECTORIES = [
  '/usr/lib/x86_64-linux-gnu/rsyslog',
  '/usr/lib/aarch64-linux-gnu/rsyslog',
  '/usr/lib/rsyslog',
  '/usr/lib64/rsyslog',
];
const POLL_MS = 10;
/** The output has ended when it has not grown for so long; the instant that counts is its last change. */
const QUIET_MS = 4000;

export const rsyslog: Peer = {
  name: 'rsyslog',
  async version() {
    if (!MODULE_DIRECTORIES.some((directory) => existsSync(join(directory, 'imkafka.so')))) return null;
    return versionOf(COMMAND, '-v', /^rsyslogd\s+(\S+)/m);
  },
  async run(context) {
    const { directory, topic, timeoutMs, signal } = context;
    const outputFile = join(directory, 'records.jsonl');
    const configFile = join(directory, 'rsyslog.conf');
    await writeFile(configFile, configuration(context, outputFile));
    const child = await startMeasured({
      command: COMMAND,
      args: ['-n', '-f', configFile, '-i', join(directory, 'rsyslog.pid')],
      logFile: join(directory, 'rsyslog.log'),
    });
    try {
      const limits = { signal, timeoutMs, pollMs: POLL_MS };
      const firstOutputMs = await firstByteMs(child, outputFile, limits);
      const finishedMs = await waitFor(child, 'rsyslog reading to the end', limits, async () => {
        const { changedMs } = await fileState(outputFile);
        return Date.now() - changedMs > QUIET_MS ? changedMs : null;
      });
      const usage = await child.stop();
      const records = await countLines(outputFile);
      return {
        startedMs: child.startedMs,
        firstOutputMs,
        finishedMs,
        records,
        ...usage,
        problems: countProblems(records, topic.records),
      };
    } finally {
      await child.stop();
    }
  },
};

function configuration({ broker, topic, directory, runId }: RunContext, outputFile: string): string {
  return `
global(workDirectory="${directory}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off")
module(load="imkafka")
module(load="mmjsonparse")
template(name="record" type="string" string="%$!all-json-plain%\\n")
input(type="imkafka" topic="${topic.topic}" broker=["${broker}"] consumergroup="${runId}" ruleset="store"
      confParam=["auto.offset.reset=earliest"])
ruleset(name="store" queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="1024" queue.workerThreads="1") {
  action(type="mmjsonparse" cookie="")
  action(type="omfile" file="${outputFile}" template="record" ioBufferSize="256k" flushOnTXEnd="on")
}
`;
}
