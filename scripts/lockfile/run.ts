/** `npm run lock:complete`, after "npm install" changed package-lock.json. */
import { readFile, writeFile } from 'node:fs/promises';
import { completed, type Lockfile, missingOptionalPackages } from './complete.ts';

const FILE = new URL('../../package-lock.json', import.meta.url);

const lockfile = JSON.parse(await readFile(FILE, 'utf8')) as Lockfile;
await writeFile(FILE, `${JSON.stringify(completed(lockfile), null, 2)}\n`);
process.stdout.write(
  `Added ${missingOptionalPackages(lockfile).size} optional packages to package-lock.json.\n`,
);
