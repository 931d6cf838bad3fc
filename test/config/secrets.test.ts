// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in this form are what is tested
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig } from '../../src/config/describe.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createWorkspace, refusal } from './workspace.ts';

test('references are replaced, from variables and from files beside the configuration', (context) => {
  const workspace = createWorkspace(context);
  workspace.write('group.txt', 'group-from-file\n');
  const yaml =
    'kafka:\n  topic: "logs-${env:STAGE}"\n  group_id: "${file:group.txt}"\n  brokers: ["${env:BROKER}"]\n';
  const file = workspace.write('config.yaml', yaml);
  const { kafka } = loadConfig({ file, env: { STAGE: 'test', BROKER: 'b:1' } });
  assert.deepEqual([kafka.topic, kafka.groupId, kafka.brokers], ['logs-test', 'group-from-file', ['b:1']]);
});

test('what is put in is not looked at again', (context) => {
  const file = createWorkspace(context).write('config.yaml', 'kafka:\n  client_id: "${env:OUTER}"\n');
  assert.equal(
    loadConfig({ file, env: { OUTER: '${env:INNER}', INNER: 'x' } }).kafka.clientId,
    '${env:INNER}',
  );
});

test('references that lead nowhere', (context) => {
  const workspace = createWorkspace(context);
  assert.equal(
    refusal(workspace, 'kafka:\n  topic: "${env:NOBODY}"'),
    'config.yaml line 2: kafka.topic needs the environment variable NOBODY, which is not set (${env:NOBODY}).',
  );
  assert.equal(
    refusal(workspace, 'kafka:\n  topic: "${file:gone.txt}"'),
    'config.yaml line 2: kafka.topic needs the file gone.txt, which does not exist (${file:gone.txt}).',
  );
  assert.equal(
    refusal(workspace, 'kafka:\n  topic: "${NOBODY}"'),
    'config.yaml line 2: kafka.topic holds a reference that is neither ${env:NAME} nor ${file:PATH} (${NOBODY}).',
  );
});

test('a secret is shown neither in messages nor in descriptions', (context) => {
  const workspace = createWorkspace(context);
  const env = { SECRET: 'hunter2 is not a topic' };
  const message = refusal(workspace, 'kafka:\n  topic: "${env:SECRET}"', env);
  assert.match(message, /kafka\.topic is "\$\{env:SECRET\}"; expected/);
  const file = workspace.write('config.yaml', 'kafka:\n  client_id: "${env:SECRET}"');
  const config = loadConfig({ file, env });
  assert.equal(config.kafka.clientId, env.SECRET);
  assert.ok(!JSON.stringify(describeConfig(config)).includes('hunter2'));
});
