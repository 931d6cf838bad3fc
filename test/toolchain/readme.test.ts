/** What README and run book say about commands, exit codes, errors and metrics is what the code says. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type ErrorCode, EXIT, ServiceError } from '../../src/core/errors.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { runCommandLine } from '../helpers/command-line.ts';
import { PROJECT_DIRECTORY } from '../helpers/service.ts';
import { codeBlocks, codesIn, tableRows } from './documents.ts';

const read = (name: string): string => readFileSync(join(PROJECT_DIRECTORY, name), 'utf8');

const README = read('README.md');
const OPERATIONS = read('docs/operations.md');
const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  ...readdirSync(join(PROJECT_DIRECTORY, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe('the README', () => {
  it('gives the test command that the CI script runs', () => {
    const [ciCommand] = read('.ci/run').match(/^npm ci .*$/m) ?? [];
    const commands = codeBlocks(README, 'sh').flatMap((block) => block.split('\n'));
    const testCommands = commands.filter((command) => /\bnpm (run )?test\b/.test(command));
    assert.deepEqual(testCommands, [ciCommand]);
  });

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...README.matchAll(/\bnpm run ([a-z:]+)/g)].map(([, name = '']) => name);
    assert.ok(named.length > 0);
    assert.deepEqual(
      named.filter((name) => !(name in scripts)),
      [],
    );
  });

  it('names commands and options that exist, and leaves out no command', async () => {
    const { output: overview } = await runCommandLine(['--help']);
    const existing = [...overview.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name = '']) => name);
    const table = tableRows(README, 'command').map(([command = '']) =>
      command.replaceAll('`', '').replace('log-consumer ', ''),
    );
    assert.deepEqual(table, existing);
    for (const [, name = '', rest = ''] of README.matchAll(/\blog-consumer ([a-z]+)([^`\n|]*)/g)) {
      assert.ok(existing.includes(name), `log-consumer ${name}`);
      const { output: help } = await runCommandLine([name, '--help']);
      for (const option of rest.match(/--[a-z-]+/g) ?? []) {
        assert.ok(help.includes(option), `log-consumer ${name} ${option}`);
      }
    }
  });
});

describe('the documents', () => {
  for (const document of DOCUMENTS) {
    it(`${document} links to files that exist`, () => {
      const links = [...read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(
        ([, target = '']) => target,
      );
      const broken = links.filter(
        (target) => !existsSync(join(PROJECT_DIRECTORY, dirname(document), target)),
      );
      assert.deepEqual(broken, []);
    });
  }

  it('that the code refers to exist', () => {
    const sources = readdirSync(join(PROJECT_DIRECTORY, 'src'), { recursive: true, encoding: 'utf8' });
    const references = sources
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => read(`src/${name}`).match(/\bdocs\/(?:adr\/\d{4}|[a-z-]+\.md)/g) ?? []);
    assert.ok(references.includes('docs/adr/0003'));
    const missing = references.filter((reference) => !DOCUMENTS.some((name) => name.startsWith(reference)));
    assert.deepEqual(missing, []);
  });
});

describe('the run book', () => {
  it('has the exit codes of the code', () => {
    const documented = tableRows(OPERATIONS, 'code')
      .map(([code]) => Number(code))
      .filter((code) => !Number.isNaN(code));
    assert.deepEqual(documented, Object.values(EXIT));
  });

  it('has every error with its exit code', () => {
    const inCode = [...read('src/core/errors.ts').matchAll(/^ {2}([A-Z_]+): \{ retryable/gm)].map(
      ([, code = '']) => code,
    );
    const rows = tableRows(OPERATIONS, 'code').filter(([code = '']) => code.startsWith('`'));
    assert.deepEqual([...new Set(rows.flatMap(([code = '']) => codesIn(code)))], inCode);
    for (const [code = '', exit] of rows) {
      const error = new ServiceError(code.replaceAll('`', '') as ErrorCode, '');
      assert.equal(Number(exit), error.exitCode, code);
    }
  });

  it('has every metric with its type, labels and help', async () => {
    const { registry } = createMetrics({ version: '0', instance: '' });
    const metrics = await registry.getMetricsAsJSON();
    const existing = metrics.map(({ name, type, help }) => {
      const metric: object = registry.getSingleMetric(name) ?? {};
      const labels = 'labelNames' in metric ? (metric.labelNames as string[]) : [];
      return [name, String(type), labels.join(), help];
    });
    const documented = tableRows(OPERATIONS, 'metric').map(
      ([name = '', type = '', labels = '', meaning = '']) => [
        codesIn(name).join(),
        type,
        codesIn(labels).join(),
        meaning,
      ],
    );
    const own = existing.filter(([name = '']) => !/^(process|nodejs)_/.test(name));
    assert.deepEqual(documented, own);
  });
});
