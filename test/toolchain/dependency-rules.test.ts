import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkDependencies, unseenFiles } from '../../scripts/dependencies/check.ts';
import { forbiddenDependencies } from '../../scripts/dependencies/rules.ts';

type Files = Readonly<Record<string, string>>;

/** A small project in which every rule is kept, with each package imported by its owner. */
const SOUND: Files = {
  'package.json': JSON.stringify({
    dependencies: Object.fromEntries(packageNames().map((name) => [name, '1.0.0'])),
    devDependencies: { 'fast-check': '1.0.0' },
  }),
  ...Object.fromEntries([...packageNames(), 'fast-check'].flatMap(packageFiles)),
  'src/main.ts': "import './pipeline/loop.ts';\nimport './api/server.ts';\n",
  'src/core/limit.ts': 'export type Limit = number;\nexport const limit: Limit = 1;\n',
  'src/consume/source.ts':
    "import 'kafkajs';\nimport { limit } from '../core/limit.ts';\nexport const source = limit;\n",
  'src/transform/pool.ts':
    "import 'piscina';\nimport 'lz4-napi';\nimport 'snappy';\nexport const pool = 1;\n",
  'src/write/writer.ts': 'export const writer = 1;\n',
  'src/storage/checksum.ts': "import '@node-rs/crc32';\n",
  'src/config/schema.ts': "import 'zod';\nimport 'yaml';\n",
  'src/telemetry/metrics.ts': "import 'pino';\nimport 'prom-client';\n",
  'src/upkeep/seal.ts': "import 'p-queue';\nimport '@aws-sdk/client-s3';\n",
  'src/resilience/circuit.ts': "import 'cockatiel';\n",
  'src/pipeline/loop.ts':
    "import { source } from '../consume/source.ts';\nimport { pool } from '../transform/pool.ts';\nexport const loop = [source, pool];\n",
  'src/query/plan.ts': "import '../storage/checksum.ts';\nexport const plan = 1;\n",
  'src/api/server.ts': "import { plan } from '../query/plan.ts';\nexport const server = plan;\n",
  'workers/writer.ts': "import '../src/core/limit.ts';\nimport '../src/write/writer.ts';\n",
  'test/some.test.ts': "import 'fast-check';\nimport '../src/main.ts';\n",
};

/** One violation per rule: the rule's name, and the file that breaks it. */
const PLANTED: readonly [rule: string, file: string, text: string][] = [
  [
    'no-cycle',
    'src/query/plan.ts',
    "import type { server } from '../api/server.ts';\nexport const plan: typeof server = 1;\n",
  ],
  ['resolvable', 'src/write/a.ts', "import './nowhere.ts';\n"],
  [
    'core-imports-nothing',
    'src/core/a.ts',
    "import type { Stats } from 'node:fs';\nexport type A = Stats;\n",
  ],
  ['stages-stay-apart', 'src/consume/a.ts', "export const a = () => import('../write/writer.ts');\n"],
  ['only-pipeline-joins-stages', 'src/upkeep/a.ts', "import '../write/writer.ts';\n"],
  ['stages-import-no-pipeline', 'src/write/a.ts', "import '../pipeline/loop.ts';\n"],
  ['read-side-apart-from-write-side', 'src/query/a.ts', "export { writer } from '../write/writer.ts';\n"],
  ['write-side-apart-from-read-side', 'src/pipeline/a.ts', "import '../api/server.ts';\n"],
  ['nobody-imports-main', 'src/upkeep/a.ts', "import '../main.ts';\n"],
  ['nobody-imports-workers', 'src/pipeline/a.ts', "import '../../workers/writer.ts';\n"],
  ['program-imports-no-tooling', 'src/write/a.ts', "import '../../test/some.test.ts';\n"],
  ['program-imports-no-dev-package', 'src/write/a.ts', "import 'fast-check';\n"],
  ...packageNames().map(
    (name) => [`${name}-has-one-owner`, 'src/write/a.ts', `import '${name}';\n`] as [string, string, string],
  ),
  ['workers-are-short', 'workers/a.ts', 'export {};\n'.repeat(41)],
  ['workers-hold-no-logic', 'workers/a.ts', "if (process.argv.length > 2) console.log('more');\n"],
];

describe('the dependency rules', () => {
  let root = '';
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'dependencies-'));
    await writeAll(SOUND);
  });
  after(() => rm(root, { recursive: true }));

  it('accept a project that keeps them', async () => {
    const { modules, problems } = await checkDependencies(root);
    assert.deepEqual(problems, []);
    assert.equal(modules, Object.keys(SOUND).filter((file) => file.endsWith('.ts')).length);
  });

  for (const [rule, file, text] of PLANTED) {
    it(`catch a planted violation of ${rule}`, async () => {
      await writeAll({ [file]: text });
      const { problems } = await checkDependencies(root);
      await undo(file);
      const caught = problems.some((problem) => problem.startsWith(`${rule}: `) && problem.includes(file));
      assert.ok(caught, `found only: ${problems.join('; ')}`);
    });
  }

  it('have a planted violation each', () => {
    const planted = new Set(PLANTED.map(([rule]) => rule));
    assert.deepEqual(
      forbiddenDependencies().filter((rule) => !planted.has(rule.name ?? '')),
      [],
    );
  });

  it('fail on a file that was not checked, and on a project without files', () => {
    assert.deepEqual(unseenFiles(['src/a.ts'], []), ['unseen: src/a.ts was not checked']);
    assert.deepEqual(unseenFiles([], []), ['unseen: there is no source file at all']);
  });

  async function writeAll(files: Files): Promise<void> {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
  }

  async function undo(file: string): Promise<void> {
    const original = SOUND[file];
    if (original === undefined) await rm(join(root, file));
    else await writeFile(join(root, file), original);
  }
});

function packageNames(): string[] {
  const suffix = '-has-one-owner';
  const names = forbiddenDependencies().map((rule) => rule.name ?? '');
  return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
}

function packageFiles(name: string): [string, string][] {
  const folder = `node_modules/${name}`;
  return [
    [`${folder}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
    [`${folder}/index.js`, 'module.exports = {};\n'],
  ];
}
