/**
 * Who may import whom: the folder rules of ARCHITECTURE.md, as dependency-cruiser wants them.
 * Each rule is shown to catch a planted violation in test/toolchain/dependency-rules.test.ts.
 */
import type { IForbiddenRuleType, IRegularForbiddenRuleType } from 'dependency-cruiser';

/** The stages of ingestion, which know nothing of each other. */
const STAGES = 'consume|transform|write';
/** Everything that runs in the ingest process and writes. */
const WRITE_SIDE = `${STAGES}|pipeline|upkeep`;
/** Everything that runs in the read process. */
const READ_SIDE = 'query|api';

/**
 * The folders of src that may import a package. One folder each, so that a package can be replaced
 * in one place; the producers of the intake and the generator are the exception.
 */
const PACKAGE_OWNERS: Readonly<Record<string, readonly string[]>> = {
  kafkajs: ['kafka', 'consume', 'api/intake', 'generate'],
  piscina: ['transform'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  zod: ['config'],
  yaml: ['config'],
  'p-queue': ['upkeep'],
  '@aws-sdk/client-s3': ['upkeep'],
  cockatiel: ['resilience'],
  'lz4-napi': ['transform', 'generate', 'upkeep'],
  '@duckdb/node-api': ['upkeep', 'query'],
  snappy: ['transform'],
  '@node-rs/crc32': ['transform', 'storage'],
};

/** The rules for dependency-cruiser; every one is an error. */
export function forbiddenDependencies(): IForbiddenRuleType[] {
  return [
    rule(
      'no-cycle',
      'Modules that import each other cannot be understood or replaced one by one.',
      {},
      {
        circular: true,
      },
    ),
    rule(
      'resolvable',
      'An import that leads nowhere hides from every other rule.',
      {},
      {
        couldNotResolve: true,
      },
    ),
    rule(
      'core-imports-nothing',
      'core has no I/O and no packages.',
      { path: '^src/core/' },
      {
        pathNot: '^src/core/',
      },
    ),
    rule(
      'stages-stay-apart',
      'Only pipeline joins consume, transform and write.',
      { path: `^src/(${STAGES})/` },
      { path: `^src/(${STAGES})/`, pathNot: '^src/$1/' },
    ),
    rule(
      'only-pipeline-joins-stages',
      'Whoever else needs a stage gets it handed in by main.ts or a command, which wire.',
      { path: '^src/', pathNot: `^src/(main\\.ts$|(commands|pipeline|${STAGES})/)` },
      { path: `^src/(${STAGES})/` },
    ),
    rule(
      'stages-import-no-pipeline',
      'The pipeline calls the stages, never the reverse.',
      { path: `^src/(${STAGES})/` },
      { path: '^src/pipeline/' },
    ),
    rule(
      'read-side-apart-from-write-side',
      'The read process shares only files with the ingest process.',
      { path: `^src/(${READ_SIDE})/` },
      { path: `^src/(${WRITE_SIDE})/` },
    ),
    rule(
      'write-side-apart-from-read-side',
      'The read process shares only files with the ingest process.',
      { path: `^src/(${WRITE_SIDE})/` },
      { path: `^src/(${READ_SIDE})/` },
    ),
    rule(
      'nobody-imports-main',
      'main.ts wires the parts together and is only started.',
      { pathNot: '^(bin|test|load-tests)/' },
      { path: '^src/main\\.ts$' },
    ),
    rule(
      'nobody-imports-workers',
      'A worker entry is started by its path and holds nothing to import.',
      {},
      { path: '^workers/' },
    ),
    rule(
      'program-imports-no-tooling',
      'What is shipped works without tests and scripts.',
      { path: '^(src|workers|bin)/' },
      { path: '^(test|scripts|load-tests)/' },
    ),
    rule(
      'program-imports-no-dev-package',
      'What is shipped works without devDependencies.',
      { path: '^(src|workers|bin)/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg'] },
    ),
    ...Object.entries(PACKAGE_OWNERS).map(([name, owners]) => packageRule(name, owners)),
  ];
}

function packageRule(name: string, owners: readonly string[]): IForbiddenRuleType {
  const folders = owners.map((owner) => `src/${owner}`).join(', ');
  return rule(
    `${name}-has-one-owner`,
    `Only ${folders} may import ${name}.`,
    { path: '^(src|workers)/', pathNot: `^src/(${owners.join('|')})(/|\\.ts$)` },
    { path: `(^|/)node_modules/${name}/` },
  );
}

function rule(
  name: string,
  comment: string,
  from: IRegularForbiddenRuleType['from'],
  to: IRegularForbiddenRuleType['to'],
): IForbiddenRuleType {
  return { name, comment, severity: 'error', from, to };
}
