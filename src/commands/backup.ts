import { EXIT, ServiceError } from '../core/errors.ts';
import { BACKUP_ATTEMPTS, BACKUP_RETRY } from '../core/limits.ts';
import { Backup } from '../upkeep/backup/backup.ts';
import type { BackupResult } from '../upkeep/backup/backup-run.ts';
import { type BackupReport, verifyBackup } from '../upkeep/backup/backup-verify.ts';
import { type BackupScene, requireInstances, withStore } from './backup-scene.ts';
import { CONFIG_OPTION, type Command, type CommandContext, JSON_OPTION, write } from './command.ts';
import { configOf } from './config-of.ts';
import { createProgressLine } from './progress-line.ts';

export const backupCommand: Command = {
  name: 'backup',
  summary: 'Copies closed files to the configured store, or checks what is there.',
  details: [
    'run     copies every compressed file that is not confirmed yet, of all instances; beside a running',
    '        service, and after a break it goes on where it stopped.',
    'verify  compares every object of confirmed files with its recorded size and SHA-256; with --deep it',
    '        reads every object.',
    'Exits 0 when everything is there, 1 when something is missing, differs or could not be copied.',
  ],
  positional: 'run|verify',
  options: {
    config: CONFIG_OPTION,
    json: JSON_OPTION,
    deep: { type: 'boolean', help: 'verify: read and hash every object' },
  },
  async run(context) {
    const { positionals, values, streams } = context;
    const [action, ...others] = positionals;
    if ((action !== 'run' && action !== 'verify') || others.length > 0) {
      throw new ServiceError('USAGE', 'Say "log-consumer backup run" or "log-consumer backup verify".');
    }
    if (action === 'run' && values['deep'] === true) {
      throw new ServiceError('USAGE', '--deep belongs to "log-consumer backup verify".');
    }
    const { root, outcome } = await (action === 'run' ? copy(context) : check(context));
    const text = values['json'] === true ? `${JSON.stringify(outcome)}\n` : describe(root, outcome);
    await write(streams.output, text);
    return outcome.ok ? EXIT.ok : EXIT.failed;
  },
};

/** What `backup run` did, over all instances. */
interface CopyReport {
  readonly ok: boolean;
  readonly files: number;
  readonly bytes: number;
  /** By directory. */
  readonly confirmed: Readonly<Record<string, BackupResult['confirmed']>>;
  readonly problems: readonly string[];
}

async function copy(context: CommandContext): Promise<{ root: string; outcome: CopyReport }> {
  const config = configOf(context);
  const root = config.output.directory;
  const again = 'run it again, and it goes on where it stopped.';
  return withStore(config, again, async (scene) => {
    const results = new Map<string, BackupResult>();
    for (const directory of requireInstances(root)) {
      results.set(directory, await copyInstance(context, root, directory, scene));
    }
    const all = [...results.values()];
    const problems = [...new Set(all.flatMap((result) => result.problems))];
    const outcome = {
      ok: problems.length === 0,
      files: all.reduce((sum, { files }) => sum + files, 0),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      confirmed: Object.fromEntries([...results].map(([directory, { confirmed }]) => [directory, confirmed])),
      problems,
    };
    return { root, outcome };
  });
}

async function copyInstance(
  { streams }: CommandContext,
  root: string,
  directory: string,
  { store, backup, target, signal }: BackupScene,
): Promise<BackupResult> {
  const progress = createProgressLine(streams.errors, 'Copying');
  let total: number | undefined;
  try {
    return await new Backup({
      root,
      directory,
      store,
      target,
      partBytes: backup.partBytes,
      concurrency: backup.concurrency,
      attempts: BACKUP_ATTEMPTS,
      pauses: BACKUP_RETRY,
      circuit: { run: (attempt) => attempt() },
      onUploaded: () => undefined,
      onFailed: () => undefined,
      onBacklog: (_files, bytes) => {
        total ??= bytes;
        progress.update(total === 0 ? 1 : 1 - bytes / total);
      },
    }).runOnce(signal);
  } finally {
    progress.finish();
  }
}

async function check(context: CommandContext): Promise<{ root: string; outcome: BackupReport }> {
  const config = configOf(context);
  const root = config.output.directory;
  const progress = createProgressLine(context.streams.errors, 'Verifying');
  const outcome = await withStore(config, 'nothing was changed.', async ({ store, backup, target, signal }) =>
    verifyBackup(
      {
        root,
        directories: requireInstances(root),
        store,
        target,
        deep: context.values['deep'] === true,
        concurrency: backup.concurrency,
        onProgress: (share) => progress.update(share),
      },
      signal,
    ),
  ).finally(() => progress.finish());
  return { root, outcome };
}

function describe(root: string, outcome: CopyReport | BackupReport): string {
  const { ok, bytes, problems } = outcome;
  const what =
    'segments' in outcome
      ? `${outcome.segments} segments are confirmed; ${outcome.objects} objects with ${bytes} bytes are in the store as they were copied`
      : `${outcome.files} files with ${bytes} bytes were copied`;
  const verdict = ok
    ? 'segments' in outcome
      ? 'Everything fits.'
      : 'Everything closed is in the store.'
    : 'Problems:';
  return [`${root}: ${what}.`, verdict, ...problems.map((problem) => `  ${problem}`), ''].join('\n');
}
