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
const LOGIC = /^\s*(if|for|while|switch|function|class)\b| \? /m;
const COMMENT = /\/\*.*?\*\/|^\s*\/\/.*$/gms;

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
    ...(await workerProblems(root, files)),
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

/** Worker entries hold no logic: few lines that put things together, without a decision or a loop. */
async function workerProblems(root: string, files: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const file of files.filter((name) => name.startsWith('workers/'))) {
    const text = (await readFile(join(root, file), 'utf8')).trimEnd();
    const lines = text.split('\n').length;
    if (lines > WORKER_LINES)
      problems.push(`workers-are-short: ${file} has ${lines} lines of ${WORKER_LINES}`);
    const logic = LOGIC.exec(text.replace(COMMENT, ''))?.[0];
    if (logic !== undefined) problems.push(`workers-hold-no-logic: ${file} has "${logic.trim()}"`);
  }
  return problems;
}
