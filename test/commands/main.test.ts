import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runMain } from './console.ts';

const COMMANDS = ['run', 'check', 'generate', 'explain', 'verify'];

for (const argument of ['--help', '-h', 'help']) {
  test(`${argument} names every command`, async () => {
    const { code, output, errors } = await runMain([argument]);
    assert.deepEqual([code, errors], [0, '']);
    for (const command of COMMANDS) assert.match(output, new RegExp(`^ {2}${command} +[A-Z]`, 'm'));
  });
}

for (const command of COMMANDS) {
  test(`${command} --help says what it does and what it takes`, async () => {
    for (const flag of ['--help', '-h']) {
      const { code, output, errors } = await runMain([command, flag]);
      assert.deepEqual([code, errors], [0, '']);
      assert.match(output, new RegExp(`^Usage: log-consumer ${command} \\[options\\]`));
      assert.match(output, /^ {2}-h, --help +show this help$/m);
      assert.match(output, /^ {2}-c, --config FILE +configuration file/m);
    }
  });
}

for (const argument of ['--version', 'version']) {
  test(`${argument} prints the version alone`, async () => {
    const { code, output } = await runMain([argument]);
    assert.deepEqual([code, /^\d+\.\d+\.\d+\n$/.test(output)], [0, true]);
  });
}

const WRONG: readonly (readonly [readonly string[], RegExp])[] = [
  [['verfy'], /^log-consumer: There is no command "verfy"; did you mean "verify"\?\n$/],
  [['zzzzzzzz'], /^log-consumer: There is no command "zzzzzzzz"; see "log-consumer --help"\n$/],
  [['verify', '--jsn'], /'--jsn'.*; see "log-consumer verify --help"\.\n$/s],
  [['explain', 'file'], /'file'.*; see "log-consumer explain --help"\.\n$/s],
  [['--nothing'], /'--nothing'.*; see "log-consumer run --help"\.\n$/s],
  [['check', '--config'], /config.*argument missing.*; see "log-consumer check --help"\.\n$/s],
  [
    ['generate', '--stdout', '--count', '1.5'],
    /--count is "1\.5", but takes a whole number from 0 to 1000000000000\./,
  ],
  [['generate', '--stdout', '--count', ''], /--count is "", but takes/],
  [
    ['generate', '--stdout', '--rate', 'fast'],
    /--rate is "fast", but takes a number from 0\.1 to 10000000\./,
  ],
  [['generate', '--stdout', '--malformed=-1'], /--malformed is "-1", but takes a number from 0 to 1\./],
];

for (const [argv, message] of WRONG) {
  test(`wrong usage exits 2 with one sentence: ${argv.join(' ')}`, async () => {
    const { code, output, errors } = await runMain(argv);
    assert.deepEqual([code, output], [2, '']);
    assert.match(errors, message);
    assert.equal(errors.trimEnd().split('\n').length, 1);
  });
}

for (const command of ['run', 'check', 'explain', 'verify']) {
  test(`${command} with a configuration that is not there exits 78`, async () => {
    const { code, errors } = await runMain([command, '--config', '/nowhere/config.yaml']);
    assert.equal(code, 78);
    assert.match(errors, /^log-consumer: .*\/nowhere\/config\.yaml/);
  });
}
