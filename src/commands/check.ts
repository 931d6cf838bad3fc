import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { requireMemory } from '../config/load.ts';
import { readTopicState } from '../consume/topic-state.ts';
import type { BackupTarget } from '../core/backup-target.ts';
import { EXIT, messageOf, ServiceError } from '../core/errors.ts';
import { clientSecurity } from '../kafka/client-security.ts';
import { requireDeadLetterTopic } from '../kafka/dead-letter-topic.ts';
import { openStore } from '../upkeep/backup/open-store.ts';
import { tryStore } from '../upkeep/backup/try-store.ts';
import { CONFIG_OPTION, type Command, JSON_OPTION, write } from './command.ts';
import { configOf, directoryOf } from './config-of.ts';

interface CheckReport {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly config: Config['described'] | null;
}

export const checkCommand: Command = {
  name: 'check',
  summary:
    'Validates the configuration, and with --online also the broker, the topic, the directory and the backup.',
  details: ['Exits 0 when all is well, 78 when the configuration is not valid, 1 when a check fails.'],
  options: {
    config: CONFIG_OPTION,
    json: JSON_OPTION,
    online: {
      type: 'boolean',
      help: 'also ask the broker, and try the directory and the store of the backup',
    },
  },
  async run(context) {
    const { values, streams } = context;
    const json = values['json'] === true;
    let config: Config;
    try {
      config = configOf(context);
      requireMemory(config);
      clientSecurity(config.kafka); // certificates and keys are read, whether or not a broker is asked
    } catch (error) {
      if (!json || !(error instanceof ServiceError)) throw error;
      await write(
        streams.output,
        print({ ok: false, problems: [error.message], warnings: [], config: null }),
      );
      return error.exitCode;
    }
    const problems = values['online'] === true ? await checkSurroundings(config) : [];
    const report = {
      ok: problems.length === 0,
      problems,
      warnings: config.warnings,
      config: config.described,
    };
    await write(streams.output, json ? print(report) : describe(report, config));
    return report.ok ? EXIT.ok : EXIT.failed;
  },
};

async function checkSurroundings(config: Config): Promise<string[]> {
  const { kafka } = config;
  const problems: string[] = [];
  try {
    await readTopicState(kafka, kafka.topic, kafka.groupId, () => undefined);
  } catch (error) {
    problems.push(messageOf(error));
  }
  const { deadLetterTopic } = config.quarantine;
  if (deadLetterTopic !== null) {
    try {
      await requireDeadLetterTopic({ ...kafka, topic: deadLetterTopic });
    } catch (error) {
      const text = messageOf(error);
      // A broker that does not answer is one problem and not two.
      if (!problems.includes(text)) problems.push(text);
    }
  }
  const directory = resolve(directoryOf(config));
  try {
    rmdirSync(mkdtempSync(join(nearestExisting(directory), 'log-consumer-check-')));
  } catch (error) {
    problems.push(`Cannot write to the output directory ${directory} (${messageOf(error)}).`);
  }
  if (config.backup !== null) problems.push(...(await tryBackup(config.backup)));
  return problems;
}

async function tryBackup(target: BackupTarget): Promise<string[]> {
  const store = await openStore(target);
  try {
    await tryStore(store, AbortSignal.timeout(target.requestTimeoutMs));
    return [];
  } catch (error) {
    return [messageOf(error)];
  } finally {
    store.close();
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

function print(report: CheckReport): string {
  return `${JSON.stringify(report)}\n`;
}

function describe(report: CheckReport, config: Config): string {
  return [
    `The configuration is valid (${config.file ?? 'no file, defaults and environment only'}).`,
    ...report.warnings.map((warning) => `Warning: ${warning}`),
    ...report.problems,
    '',
  ].join('\n');
}
