import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { loadConfig, requireMemory } from '../../src/config/load.ts';
import { ServiceError } from '../../src/core/errors.ts';

const MIB = 1024 ** 2;

function configured(
  mebibytes: number,
  env: Readonly<Record<string, string>> = {},
  cores = 2,
  memoryOwner: 'container' | 'machine' = 'container',
): Config {
  const machine = { cores, memoryBytes: mebibytes * MIB, memoryOwner };
  return loadConfig({ env: { CONFIG_FILE: '', ...env }, machine });
}

test('the defaults fit into 768 MiB, however many cores there are', () => {
  for (const cores of [1, 2, 4, 64]) {
    const config = configured(768, {}, cores);
    assert.equal(config.memory.problem, null, `${cores} cores`);
    assert.doesNotThrow(() => requireMemory(config));
    assert.ok(config.memory.boundBytes <= 768 * MIB);
  }
  assert.equal(configured(768, {}, 64).transform.workers, 4);
  assert.equal(configured(4096, {}, 64).transform.workers, 8);
});

test('more than there is names the largest parts and what to lower', () => {
  const config = configured(768, { LOG_CONSUMER_TRANSFORM_QUEUE_BYTES: '2GiB' });
  assert.throws(
    () => requireMemory(config),
    (error: unknown) => {
      assert.ok(error instanceof ServiceError && error.exitCode === 78);
      assert.match(
        error.message,
        /^The configuration is not valid: the limits allow \d+MiB of memory \(the queue 2048MiB, sealing 256MiB, the program \d+MiB\), but this container has 768MiB; lower transform\.queue_bytes, seal\.memory_limit, \S+, or give it more memory\.$/,
      );
      return true;
    },
  );
});

test('a given number of workers is not lowered but refused', () => {
  const config = configured(768, { LOG_CONSUMER_TRANSFORM_WORKERS: '16' });
  assert.equal(config.transform.workers, 16);
  assert.match(config.memory.problem ?? '', /^the limits allow .* \(workers 768MiB, /);
});

test('a machine is called one', () => {
  assert.match(configured(100, {}, 1, 'machine').memory.problem ?? '', /but this machine has 100MiB/);
});

test('only hostile records could need more: a warning, and no problem', () => {
  const { memory, warnings } = configured(768);
  assert.equal(memory.problem, null);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /transform\.max_decompressed_bytes, \d+MiB of memory could be needed/);
  assert.deepEqual(configured(768, { LOG_CONSUMER_TRANSFORM_MAX_DECOMPRESSED_BYTES: '16MiB' }).warnings, []);
  assert.deepEqual(configured(2048).warnings, []);
});
