/**
 * Checks the folder rules over a source tree.
 *
 * dependency-cruiser parses with SWC here: its own TypeScript support ends at version 6, and with a
 * newer one it reports success on modules that it never saw. Therefore every source file on disk must
 * appear among the modules that were seen, or the check fails.
 */
import { existsSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cruise, type ICruiseResult, type IModule } from 'dependency-cruiser';
import { forbiddenDependencies } from './rules.ts';

const FOLDERS = ['src', 'workers', 'bin', 'test', 'scripts', 'load-tests'];
const SOURCE_FILES = '**/*.{ts,mts,js,mjs,cjs}';
const WORKER_LINES = 40;

export interface DependencyReport {
  /** Source files found on disk, all of which were checked unless `problems` says otherwise. */
  readonly modules: number;
  /** One sentence per broken rule; empty when all is well. */
  readonly problems: readonly string[];
}

/** Checks the tree at `root`, which has the folders of this project or some of them. */
export async function checkDependencies(root: string): Promise<DependencyReport> {
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const { output } = await cruise(folders, {
    baseDir: root,
    parser: 'swc',
    tsPreCompilationDeps: true, // imports of types count: they are dependencies of the design
    doNotFollow: { path: 'node_modules' },
    // What Node itself goes by when a package says what it exports.
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'import', 'default'] },
    exclude: { path: '(^|/)fixtures/' },
    validate: true,
    ruleSet: { forbidden: forbiddenDependencies() },
  });
  if (typeof output === 'string') throw new Error(`dependency-cruiser gave no result: ${output}`);
  const files = await sourceFiles(root, folders);
  const problems = [
    ...violationsOf(output),
    ...unseenFiles(files, output.modules),
    ...(await workerProblems(root, output.modules)),
  ];
  return { modules: files.length, problems };
}

async function sourceFiles(root: string, folders: readonly string[]): Promise<string[]> {
  const patterns = folders.map((folder) => `${folder}/${SOURCE_FILES}`);
  const files: string[] = [];
  for await (const file of glob(patterns, { cwd: root })) {
    if (!file.includes('fixtures/')) files.push(file);
  }
  return files;
}

function violationsOf(result: ICruiseResult): string[] {
  return result.summary.violations.map(({ rule, from, to, cycle }) => {
    const path = cycle === undefined ? to : cycle.map((step) => step.name).join(' -> ');
    return `${rule.name}: ${from} -> ${path}`;
  });
}

/** A problem for every file that is not among the modules that were seen, and for having no files. */
export function unseenFiles(files: readonly string[], modules: readonly IModule[]): string[] {
  const seen = new Set(modules.map((module) => module.source));
  const unseen = files.filter((file) => !seen.has(file)).map((file) => `unseen: ${file} was not checked`);
  return files.length === 0 ? ['unseen: there is no source file at all'] : unseen;
}

/** Worker entries hold no logic: few lines, and besides core exactly one module that does the work. */
async function workerProblems(root: string, modules: readonly IModule[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { source, dependencies } of modules) {
    if (!source.startsWith('workers/')) continue;
    const lines = (await readFile(join(root, source), 'utf8')).trimEnd().split('\n').length;
    if (lines > WORKER_LINES) {
      problems.push(`workers-hold-no-logic: ${source} has ${lines} lines, ${WORKER_LINES} is the limit`);
    }
    const used = new Set(dependencies.map((dependency) => dependency.resolved));
    const own = [...used].filter((path) => path.startsWith('src/') && !path.startsWith('src/core/'));
    if (own.length > 1) {
      problems.push(`workers-call-one-module: ${source} imports ${own.sort().join(' and ')}`);
    }
  }
  return problems;
}
