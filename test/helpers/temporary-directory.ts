import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A directory of its own for a test, removed when that ends. */
export function temporaryDirectory(context: TestContext, name = 'log-consumer'): string {
  const directory = mkdtempSync(join(tmpdir(), `${name}-`));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
