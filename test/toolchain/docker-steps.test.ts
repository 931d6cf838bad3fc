import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildImage, runIn } from '../../scripts/docker-steps/build.ts';
import { parseDockerfile } from '../../scripts/docker-steps/dockerfile.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const SAMPLE = `
# a comment
FROM base AS build
WORKDIR /build
COPY a.txt b.txt ./in/
RUN cat in/a.txt \\
  in/b.txt > joined.txt
FROM base
ENV PLACE=/app/logs
WORKDIR /app
COPY --from=build /build/joined.txt ./
RUN echo "$PLACE" > place.txt
USER nobody
ENTRYPOINT ["cat", "joined.txt"]
`;

describe('the Dockerfile steps', () => {
  it('copy, run and carry results from stage to stage', async () => {
    await withProject(SAMPLE, async (project, target) => {
      const image = await buildImage(project, target);
      assert.equal(await readFile(join(target, 'final/app/joined.txt'), 'utf8'), 'AB');
      assert.equal(await readFile(join(target, 'final/app/place.txt'), 'utf8'), `${target}/final/app/logs\n`);
      assert.deepEqual(image.entrypoint, ['cat', 'joined.txt']);
      assert.ok(!existsSync(join(target, 'final/app/in')), 'a stage starts empty');
    });
  });

  it('stop at a command that fails', async () => {
    await withProject('FROM base\nWORKDIR /app\nRUN exit 3\n', async (project, target) => {
      await assert.rejects(buildImage(project, target), /"exit 3" ended with code 3|exit 3.* code 3/);
    });
  });

  it('stop at an instruction that they do not know', () => {
    assert.throws(() => parseDockerfile('FROM base\nADD x y\n'), /does not know .*: ADD x y/);
    assert.throws(() => parseDockerfile('FROM base\nCOPY --chmod=755 x y\n'), /this form of COPY/);
  });

  it('build an image of this project that starts', async () => {
    const target = await mkdtemp(join(tmpdir(), 'image-'));
    try {
      const image = await buildImage(ROOT, target);
      const [program = '', ...entry] = image.entrypoint;
      await runIn(image, program, [...entry, '--version']);
      await assert.rejects(runIn(image, program, [...entry, 'no-such-command']), /ended with code 2/);
      assert.ok(!existsSync(join(image.workingDirectory, 'src')), 'the image holds only the built service');
      assert.ok(!existsSync(join(image.workingDirectory, 'node_modules/typescript')), 'and no dev packages');
    } finally {
      await rm(target, { recursive: true });
    }
  });

  it('include every path that .dockerignore lets into the build', async () => {
    const copied = parseDockerfile(await readFile(join(ROOT, 'Dockerfile'), 'utf8')).flatMap((step) =>
      step.kind === 'copy' && step.from === undefined ? step.sources : [],
    );
    const allowed = (await readFile(join(ROOT, '.dockerignore'), 'utf8')).match(/(?<=^!).+/gm);
    assert.deepEqual(new Set(allowed), new Set(copied));
  });
});

async function withProject(
  dockerfile: string,
  work: (project: string, target: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'dockerfile-'));
  const project = join(directory, 'project');
  try {
    await mkdir(project);
    await writeFile(join(project, 'Dockerfile'), dockerfile);
    await writeFile(join(project, 'a.txt'), 'A');
    await writeFile(join(project, 'b.txt'), 'B');
    await work(project, join(directory, 'image'));
  } finally {
    await rm(directory, { recursive: true });
  }
}
