import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { configSchemaText, configYamlText, settingsTables } from '../../src/config/documentation.ts';
import { loadConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { valueAt } from '../../src/config/tree.ts';
import { DEFAULT_CATEGORY_RULES } from '../../src/core/category-rules.ts';
import { createWorkspace } from './workspace.ts';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

test('the generated files are current (npm run config:schema)', () => {
  assert.equal(read('config.schema.json'), configSchemaText());
  assert.equal(read('config.yaml'), configYamlText());
  assert.ok(read('docs/configuration.md').includes(settingsTables()));
});

test('config.yaml holds every setting and loads to exactly the defaults', (context) => {
  const tree: unknown = parse(read('config.yaml'));
  for (const { path, key } of SETTINGS) assert.notEqual(valueAt(tree, path), undefined, key);
  const empty = createWorkspace(context).write('empty.yaml', '');
  const fromFile = loadConfig({ file: new URL('../../config.yaml', import.meta.url).pathname, env: {} });
  assert.deepEqual({ ...fromFile, file: empty }, loadConfig({ file: empty, env: {} }));
});

test('every key of the schema is a documented setting', () => {
  const { properties } = z.toJSONSchema(configSchema, { io: 'input' });
  const leaves = (node: unknown, path: string): string[] =>
    typeof node === 'object' && node !== null && 'properties' in node
      ? Object.entries(node.properties as object).flatMap(([key, child]) => leaves(child, `${path}.${key}`))
      : [path.slice(1)];
  assert.deepEqual(
    leaves({ properties }, ''),
    SETTINGS.map(({ key }) => key),
  );
  for (const { key, description, accepts } of SETTINGS) assert.ok(description !== '' && accepts !== '', key);
});

test('the default categories are those of the core', (context) => {
  const file = createWorkspace(context).write('empty.yaml', '');
  assert.deepEqual(loadConfig({ file, env: {} }).categories, DEFAULT_CATEGORY_RULES);
});

test('a category replaces its defaults key by key', (context) => {
  const yaml = 'categories:\n  audit_logs:\n    fields: [only_this]\n';
  const { categories } = loadConfig({ file: createWorkspace(context).write('config.yaml', yaml), env: {} });
  assert.deepEqual(categories, {
    ...DEFAULT_CATEGORY_RULES,
    audit_logs: { ...DEFAULT_CATEGORY_RULES.audit_logs, fields: ['only_this'] },
  });
});

test('the configuration is frozen to the bottom', (context) => {
  const config = loadConfig({ file: createWorkspace(context).write('empty.yaml', ''), env: {} });
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(config));
});
