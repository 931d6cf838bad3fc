/** `npm run docker:steps`: builds what the image would hold, and starts the service from it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage, runIn } from './build.ts';

const target = await mkdtemp(join(tmpdir(), 'docker-steps-'));
try {
  const image = await buildImage(fileURLToPath(new URL('../..', import.meta.url)), target);
  const [program = 'node', ...entry] = image.entrypoint;
  await runIn(image, program, [...entry, '--version']);
  await runIn(image, program, [...entry, 'check']);
  process.stdout.write('The image builds and starts.\n');
} finally {
  await rm(target, { recursive: true, force: true });
}
