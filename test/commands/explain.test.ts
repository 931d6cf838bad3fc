import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runMain } from './console.ts';

interface Explained {
  readonly record: Record<string, unknown> | null;
  readonly categories: readonly string[];
  readonly quarantine: { readonly reason: string; readonly detail: string } | null;
  readonly rules: readonly unknown[];
  readonly filtered: boolean;
}

async function explain(...chunks: readonly (string | Uint8Array)[]): Promise<Explained[]> {
  const { code, output, errors } = await runMain(['explain', '--json'], chunks);
  assert.deepEqual([code, errors], [0, '']);
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Explained);
}

test('one object for each line: the record, its categories, or why it is quarantined', async () => {
  const found = await explain(
    '{"level":"error","message":"disk","time":0}\nnot json\n\n{"level":"debug","msg":"x"}\n',
  );
  assert.equal(found.length, 4);
  const [stored, broken, empty, filtered] = found;
  assert.equal(stored?.record?.['level'], 'ERROR');
  assert.deepEqual(stored?.categories, ['service_logs', 'error_logs']);
  assert.deepEqual([stored?.quarantine, stored?.rules, stored?.filtered], [null, [], false]);
  assert.deepEqual([broken?.record, broken?.categories, broken?.quarantine?.reason], [null, [], 'not_json']);
  assert.equal(empty?.quarantine?.reason, 'empty');
  assert.equal(filtered?.filtered, true);
});

test('the record is shown as it is stored, with numbers to the letter', async () => {
  const value = '{"message":"m","id":12345678901234567890,"share":1.0,"huge":1e400,"__proto__":{"a":-0}}';
  for (const argv of [['explain', '--json'], ['explain']]) {
    const { output } = await runMain(argv, [value]);
    assert.ok(
      output.includes('"extra":{"id":12345678901234567890,"share":1.0,"huge":1e400,"__proto__":{"a":-0}}'),
      output,
    );
  }
});

test('lines may be cut anywhere, end without a newline, and be anything but text', async () => {
  const whole = Buffer.from('{"message":"grüße"}\n{"message":"second"}');
  const bytes = Array.from(whole, (_, index) => whole.subarray(index, index + 1));
  assert.deepEqual(
    (await explain(...bytes)).map(({ record }) => record?.['message']),
    ['grüße', 'second'],
  );
  const [invalid] = await explain(Buffer.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0x0a));
  assert.equal(invalid?.quarantine?.reason, 'invalid_utf8');
  assert.deepEqual(await explain(), []);
});

test('for people it is one paragraph per record', async () => {
  const { output } = await runMain(['explain'], ['{"level":"debug","msg":"x"}\nnot json\n']);
  assert.match(
    output,
    /^\{"timestamp":.*\}\n→ service_logs \(below the minimum level: counted, not stored\)\n\n/,
  );
  assert.match(output, /\n\nquarantined as not_json: .+\n\n$/);
});

test('a reader that has seen enough ends it quietly', async () => {
  const command = fileURLToPath(new URL('../../bin/log-consumer.mjs', import.meta.url));
  const child = spawn(process.execPath, [command, 'explain', '--json'], { stdio: 'pipe' });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end('{"message":"x"}\n'.repeat(50_000));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = (await once(child, 'close')) as [number | null];
  assert.deepEqual([code, errors], [0, '']);
});
