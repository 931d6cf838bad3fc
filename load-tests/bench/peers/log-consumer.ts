/**
 * The service itself, with default settings and minimum level TRACE, until the checkpoint covers the
 * whole topic and its offsets are committed. Its output is counted and passes `verify`.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { countLines } from '../lines.ts';
import { COMMAND, checkpointedRecords, committedRecords, startService, withAdmin } from '../service.ts';
import { firstByteMs, waitFor } from '../watch.ts';
import { countProblems, type Peer } from './peer.ts';
import { versionOf } from './version.ts';

const run = promisify(execFile);
const FIRST_BYTE_POLL_MS = 10;
/** Asking the broker for offsets takes processor time from the service. */
const COMMIT_POLL_MS = 50;
const SERVICE_LOGS = /^service_logs(-.*)?\.jsonl(\.gz)?$/;

export function logConsumer(options: { readonly profile: boolean }): Peer {
  return {
    name: 'log-consumer',
    version: () =>
      versionOf(process.execPath, '--version', /^(v\S+)/).then((node) => `this checkout on Node ${node}`),
    async run({ broker, topic, directory, runId, timeoutMs, signal }) {
      const service = await startService({
        broker,
        topic: topic.topic,
        group: runId,
        directory,
        profile: options.profile,
        settings: {},
      });
      const { child, outputDirectory } = service;
      try {
        const activeFile = join(outputDirectory, 'service_logs.jsonl');
        const firstOutputMs = await firstByteMs(child, activeFile, {
          signal,
          timeoutMs,
          pollMs: FIRST_BYTE_POLL_MS,
        });
        const finishedMs = await withAdmin(broker, (admin) =>
          waitFor(
            child,
            'commit of the last checkpoint',
            { signal, timeoutMs, pollMs: COMMIT_POLL_MS },
            async () => {
              if ((await checkpointedRecords(outputDirectory)) < topic.records) return null;
              return (await committedRecords(admin, runId, topic.topic)) >= topic.records ? Date.now() : null;
            },
          ),
        );
        const usage = await child.stop();
        const records = await countServiceLogs(outputDirectory);
        return {
          startedMs: child.startedMs,
          firstOutputMs,
          finishedMs,
          records,
          ...usage,
          problems: [...countProblems(records, topic.records), ...(await verify(outputDirectory))],
        };
      } finally {
        await child.stop();
      }
    },
  };
}

/** Lines of the active file and of all closed segments; a segment being compressed exists once only here. */
async function countServiceLogs(outputDirectory: string): Promise<number> {
  const entries = await readdir(outputDirectory, { recursive: true, withFileTypes: true });
  const segments = new Map<string, string>();
  for (const entry of entries) {
    if (!SERVICE_LOGS.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const plainPath = path.replace(/\.gz$/, '');
    // The plain file is removed only when its compressed form is complete, so it wins.
    if (path === plainPath || !segments.has(plainPath)) segments.set(plainPath, path);
  }
  let lines = 0;
  for (const path of segments.values()) lines += await countLines(path);
  return lines;
}

async function verify(outputDirectory: string): Promise<string[]> {
  const env = { PATH: process.env['PATH'] ?? '', LOG_OUTPUT_DIR: outputDirectory };
  const { stdout } = await run(process.execPath, [COMMAND, 'verify', '--json'], {
    env,
    cwd: outputDirectory,
  }).catch((thrown: unknown) => {
    // Exit code 1 means that there are problems, which the output names.
    if (thrown instanceof Error && 'stdout' in thrown && thrown.stdout !== '')
      return { stdout: String(thrown.stdout) };
    throw thrown;
  });
  const { ok, problems } = JSON.parse(stdout) as { ok: boolean; problems: unknown[] };
  return ok ? [] : [`verify: ${JSON.stringify(problems).slice(0, 500)}`];
}
