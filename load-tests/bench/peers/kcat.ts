/** kcat copies the values as they are: no parsing, no group, no durability. The practical limit of reading. */
import { join } from 'node:path';
import { countLines } from '../lines.ts';
import { startMeasured } from '../measured-child.ts';
import { fileState, firstByteMs, waitFor } from '../watch.ts';
import { countProblems, type Peer } from './peer.ts';
import { versionOf } from './version.ts';

const COMMAND = '/usr/bin/kcat';
const POLL_MS = 10;

export const kcat: Peer = {
  name: 'kcat',
  version: () => versionOf(COMMAND, '-V', /^Version (\S+)/m),
  async run({ broker, topic, directory, timeoutMs, signal }) {
    const outputFile = join(directory, 'copy.jsonl');
    const child = await startMeasured({
      command: COMMAND,
      args: ['-C', '-b', broker, '-t', topic.topic, '-o', 'beginning', '-e', '-q', '-f', '%s\\n'],
      logFile: join(directory, 'kcat.log'),
      outputFile,
    });
    try {
      const limits = { signal, timeoutMs, pollMs: POLL_MS };
      const firstOutputMs = await firstByteMs(child, outputFile, limits);
      await waitFor(child, 'kcat reading to the end', limits, async () =>
        child.ending() === null ? null : true,
      );
      const usage = await child.stop();
      const records = await countLines(outputFile);
      return {
        startedMs: child.startedMs,
        firstOutputMs,
        finishedMs: (await fileState(outputFile)).changedMs,
        records,
        ...usage,
        problems: countProblems(records, topic.records),
      };
    } finally {
      await child.stop();
    }
  },
};
