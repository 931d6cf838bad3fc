import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../helpers/temporary-directory.ts';
import { runMain } from './console.ts';

test('a valid configuration exits 0', async (context) => {
  const file = join(temporaryDirectory(context), 'config.yaml');
  writeFileSync(file, 'kafka: {topic: orders}\n');
  const people = await runMain(['check', '-c', file]);
  assert.deepEqual([people.code, people.errors], [0, '']);
  assert.match(people.output, /^The configuration is valid \(.*config\.yaml\)\.\n/);
  const { code, output } = await runMain(['check', '--json', '-c', file]);
  const report = JSON.parse(output) as { ok: boolean; problems: unknown[]; config: object };
  assert.deepEqual([code, report.ok, report.problems], [0, true, []]);
  assert.ok(JSON.stringify(report.config).includes('orders'));
});

test('one that is not valid exits 78, as JSON too', async (context) => {
  const file = join(temporaryDirectory(context), 'config.yaml');
  writeFileSync(file, 'kafka: {topc: orders}\n');
  const people = await runMain(['check', '-c', file]);
  assert.equal(people.code, 78);
  assert.match(people.errors, /topc/);
  const { code, output } = await runMain(['check', '--json', '-c', file]);
  const report = JSON.parse(output) as { ok: boolean; problems: string[]; config: unknown };
  assert.deepEqual([code, report.ok, report.config], [78, false, null]);
  assert.match(report.problems.join(), /topc/);
});

test('limits that no memory has room for exit 78, as JSON too', async (context) => {
  const file = join(temporaryDirectory(context), 'config.yaml');
  const brokers = Array.from({ length: 1000 }, (_, number) => `broker-${number}:9092`);
  writeFileSync(file, `kafka: {max_bytes: 1GiB, brokers: ${JSON.stringify(brokers)}}\n`);
  const people = await runMain(['check', '-c', file]);
  assert.equal(people.code, 78);
  assert.match(people.errors, /the limits allow \d+MiB of memory \(answers of brokers 2048000MiB, /);
  const { code, output } = await runMain(['check', '--json', '-c', file]);
  const report = JSON.parse(output) as { ok: boolean; problems: string[] };
  assert.deepEqual([code, report.ok, report.problems.length], [78, false, 1]);
});

test('a certificate that cannot be read exits 78, also without asking a broker', async (context) => {
  const file = join(temporaryDirectory(context), 'config.yaml');
  writeFileSync(file, 'kafka: {tls: {enabled: true, ca_file: /nowhere/ca.pem}}\n');
  const { code, output } = await runMain(['check', '--json', '-c', file]);
  assert.equal(code, 78);
  assert.match(output, /kafka\.tls\.ca_file \/nowhere\/ca\.pem cannot be read/);
});

test('--online tells of a broker that does not answer and a directory that cannot be made', async (context) => {
  const directory = temporaryDirectory(context);
  writeFileSync(join(directory, 'file'), '');
  const file = join(directory, 'config.yaml');
  const settings = [
    'kafka: {brokers: ["127.0.0.1:1"], connection_timeout: 1s}',
    'output: {directory: DIR}',
    '',
  ];
  writeFileSync(file, settings.join('\n').replace('DIR', join(directory, 'file', 'below')));
  const { code, output } = await runMain(['check', '--online', '--json', '-c', file]);
  const report = JSON.parse(output) as { ok: boolean; problems: string[] };
  assert.deepEqual([code, report.ok, report.problems.length], [1, false, 2]);
  assert.match(
    report.problems.join('\n'),
    /No Kafka broker answers at 127\.0\.0\.1:1 .*\nCannot write to the output directory/,
  );
});
