/**
 * A copy of the program with one promise taken out, to show that a test notices. The copy runs with the
 * checkout's packages.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_DIRECTORY } from './service.ts';

export interface BrokenBuild {
  readonly directory: string;
  remove(): void;
}

/** @param edits replacements by file; each text must occur, so that an edit cannot silently miss */
export function breakBuild(
  edits: Readonly<Record<string, { readonly replace: string; readonly by: string }>>,
): BrokenBuild {
  const directory = mkdtempSync(join(tmpdir(), 'broken-build-'));
  for (const part of ['src', 'workers', 'bin', 'package.json']) {
    cpSync(join(PROJECT_DIRECTORY, part), join(directory, part), { recursive: true });
  }
  symlinkSync(join(PROJECT_DIRECTORY, 'node_modules'), join(directory, 'node_modules'));
  for (const [file, { replace, by }] of Object.entries(edits)) {
    const path = join(directory, file);
    const source = readFileSync(path, 'utf8');
    if (!source.includes(replace)) throw new Error(`${file} no longer contains ${replace}`);
    writeFileSync(path, source.replace(replace, by));
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
