/**
 * Carries out the steps of the Dockerfile on this machine: every stage becomes a directory, and the
 * base image is this machine with the Node that runs this script.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseDockerfile, type Step } from './dockerfile.ts';

export interface Image {
  /** Where the image's file tree lies. */
  readonly root: string;
  readonly workingDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly entrypoint: readonly string[];
}

interface Stage extends Image {
  readonly name: string;
}

/** Builds the last stage of `project`/Dockerfile below `target` and returns it; throws when a step fails. */
export async function buildImage(project: string, target: string): Promise<Image> {
  const steps = parseDockerfile(await readFile(join(project, 'Dockerfile'), 'utf8'));
  const finished = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const step of steps) {
    if (step.kind === 'from') {
      stage = newStage(target, step.name ?? 'final');
    } else {
      if (stage === undefined) throw new Error('the Dockerfile does not begin with FROM');
      stage = await carryOut(step, stage, project, finished);
    }
    finished.set(stage.name, stage);
  }
  if (stage === undefined) throw new Error('the Dockerfile has no stage');
  return stage;
}

function newStage(target: string, name: string): Stage {
  const root = join(target, name);
  // The settings of an "npm run" around this script name this checkout, not the stage.
  const inherited = Object.entries(process.env).filter(([variable]) => !/^npm_/i.test(variable));
  const environment = {
    ...Object.fromEntries(inherited),
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
  };
  return { name, root, workingDirectory: root, environment, entrypoint: [] };
}

async function carryOut(
  step: Exclude<Step, { kind: 'from' }>,
  stage: Stage,
  project: string,
  finished: ReadonlyMap<string, Stage>,
): Promise<Stage> {
  switch (step.kind) {
    case 'workdir': {
      const workingDirectory = join(stage.root, step.path);
      await mkdir(workingDirectory, { recursive: true });
      return { ...stage, workingDirectory };
    }
    case 'env': {
      // A path inside the image becomes the same path below the stage's directory.
      const value = step.value.startsWith('/') ? join(stage.root, step.value) : step.value;
      return { ...stage, environment: { ...stage.environment, [step.name]: value } };
    }
    case 'copy': {
      const source = step.from === undefined ? project : finished.get(step.from)?.root;
      if (source === undefined)
        throw new Error(`the Dockerfile copies from "${step.from}", which is no stage`);
      await copyAll(
        source,
        step.sources,
        join(stage.workingDirectory, step.target),
        step.target.endsWith('/'),
      );
      return stage;
    }
    case 'run':
      await runIn(stage, '/bin/sh', ['-c', step.command]);
      return stage;
    case 'entrypoint':
      return { ...stage, entrypoint: step.words };
  }
}

async function copyAll(
  root: string,
  sources: readonly string[],
  target: string,
  intoDirectory: boolean,
): Promise<void> {
  for (const source of sources) {
    const to = intoDirectory ? join(target, basename(source)) : target;
    await cp(join(root, source), to, { recursive: true, verbatimSymlinks: true });
  }
}

/** Runs a program in an image's working directory and environment; throws when it fails. */
export async function runIn(image: Image, program: string, args: readonly string[]): Promise<void> {
  process.stdout.write(`> ${[program, ...args].join(' ')}\n`);
  const child = spawn(program, args, {
    cwd: image.workingDirectory,
    env: image.environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code, signal] = await once(child, 'exit');
  if (code !== 0) throw new Error(`"${[program, ...args].join(' ')}" ended with ${signal ?? `code ${code}`}`);
}
