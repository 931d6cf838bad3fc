/**
 * Where a worker's entry file lies, seen from a module two folders below the root: `.ts` in a checkout,
 * `.js` in the built package.
 */
export function workerFile(moduleUrl: string, name: string): URL {
  const extension = moduleUrl.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`../../workers/${name}.${extension}`, moduleUrl);
}
