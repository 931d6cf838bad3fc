/** The archive is read by tools that know nothing of us, with the very lines of the run book. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { closedSegments } from '../../src/storage/recovery.ts';
import { runToEnd } from '../failure/helpers/disk-run.ts';
import { Scene } from '../failure/helpers/scene.ts';
import { seeded } from '../failure/helpers/seed.ts';
import { contentOf } from '../helpers/directory-content.ts';
import { queryDuckDb } from '../helpers/parquet.ts';
import { PROJECT_DIRECTORY } from '../helpers/service.ts';

const RUN_BOOK = readFileSync(join(PROJECT_DIRECTORY, 'docs/operations.md'), 'utf8');
const PYTHON = join(PROJECT_DIRECTORY, 'node_modules/.cache/archive-readers');
const PANDAS = 'pandas==2.3.3';

/** The command of the run book that begins with this word. */
function command(word: string): string {
  const [, block = ''] = /## Sealing[\s\S]*?```sh\n([\s\S]*?)```/.exec(RUN_BOOK) ?? [];
  const line = block.split('\n').find((each) => each.startsWith(word));
  assert.ok(line !== undefined, `the run book has no command with ${word}`);
  return line.replace('date=2026-11-23', 'date=*');
}

function hasTool(name: string): boolean {
  try {
    execFileSync('which', [name]);
    return true;
  } catch {
    return false;
  }
}

let directory: string;
/** Of the archived service_logs. */
let records: { readonly level: string; readonly service: string; readonly message: string }[];

before(async (context) => {
  const { random } = seeded(context as never);
  const scene = await Scene.set(context as never, { name: 'readers', random });
  await scene.traffic({ rate: 5000, atLeast: 20_000 }).finish();
  await runToEnd(scene, scene.start());
  directory = scene.directory;
  const closed = closedSegments(directory, 'service_logs');
  assert.ok(closed.length > 1 && closed.every(({ suffixes }) => suffixes.includes('.parquet')));
  const active = readFileSync(join(directory, 'service_logs.jsonl'), 'utf8');
  const archived = contentOf(directory, 'service_logs').slice(0, -active.length || undefined);
  records = archived
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as (typeof records)[number]);
});

test('zcat and jq', (context) => {
  if (!hasTool('jq')) return context.skip('jq is not installed');
  const found = execFileSync('sh', ['-c', command('zcat')], { cwd: directory, encoding: 'utf8' });
  const expected = records.filter(({ level }) => level === 'ERROR').length;
  assert.ok(expected > 0);
  assert.equal(found.split('\n').length - 1, expected);
});

test('DuckDB', async () => {
  const [, query = ''] = /^duckdb -c "(.*)"$/.exec(command('duckdb')) ?? [];
  const rows = await queryDuckDb(query.replace("'archive/", `'${directory}/archive/`));
  const expected = new Map<string, number>();
  for (const { level, service } of records) {
    if (level === 'ERROR') expected.set(service, (expected.get(service) ?? 0) + 1);
  }
  const found = rows.map((row) => [String(row['service']), Number(row['count_star()'])] as const);
  assert.deepEqual(new Map(found.toSorted()), new Map([...expected].toSorted()));
});

test('pandas', { timeout: 180_000 }, (context) => {
  if (!hasTool('python3')) return context.skip('python3 is not installed');
  const python = join(PYTHON, 'bin/python3');
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', PYTHON]);
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PANDAS]);
  const [segment] = closedSegments(directory, 'service_logs');
  const file = `${segment?.path}.jsonl.gz`;
  const line = command('python3').replace('python3', python).replace('FILE.jsonl.gz', file);
  const found = execFileSync('sh', ['-c', line], { encoding: 'utf8' });
  const facts = JSON.parse(readFileSync(`${segment?.path}.meta.json`, 'utf8')) as {
    readonly lines: { readonly levels: Readonly<Record<string, number>> };
  };
  for (const [level, count] of Object.entries(facts.lines.levels)) {
    if (count > 0) assert.match(found, new RegExp(`${level} +${count}\\b`));
  }
});
