import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { completed, type Lockfile, missingOptionalPackages } from '../../scripts/lockfile/complete.ts';

const SAMPLE: Lockfile = {
  packages: {
    '': {},
    'node_modules/tool': {
      version: '1.0.0',
      dev: true,
      optionalDependencies: { '@tool/bin-linux-x64-musl': '1.0.0', '@tool/bin-darwin-arm64': '1.0.0' },
    },
    'node_modules/@tool/bin-darwin-arm64': { version: '1.0.0', os: ['darwin'], cpu: ['arm64'] },
  },
};

describe('the lock file', () => {
  it('holds every optional package, so that npm ci accepts it', async () => {
    const text = await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8');
    assert.deepEqual(
      [...missingOptionalPackages(JSON.parse(text)).keys()],
      [],
      'run "npm run lock:complete"',
    );
  });

  it('names no registry', async () => {
    const text = await readFile(new URL('../../package-lock.json', import.meta.url), 'utf8');
    assert.doesNotMatch(text, /"resolved":/);
  });

  it('is completed with the platform that a name says', () => {
    const { packages } = completed(SAMPLE);
    assert.deepEqual(packages['node_modules/@tool/bin-linux-x64-musl'], {
      version: '1.0.0',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
      libc: ['musl'],
    });
    assert.equal(missingOptionalPackages({ packages }).size, 0);
  });

  it('is not completed with a package of unknown platform', () => {
    const packages = { 'node_modules/tool': { optionalDependencies: { extra: '1.0.0' } } };
    assert.throws(() => completed({ packages }), /lacks extra/);
  });
});
