/** Writes what is generated from the configuration schema; run it after changing src/config/schema.ts. */
import { readFileSync, writeFileSync } from 'node:fs';
import { configSchemaText, configYamlText, settingsTables } from '../src/config/documentation.ts';

const DOCUMENT = 'docs/configuration.md';
const TABLES = /(?<=<!-- settings: generated -->\n\n)[\s\S]*(?=\n\n<!-- settings: end -->)/;

writeFileSync('config.schema.json', configSchemaText());
writeFileSync('config.yaml', configYamlText());
writeFileSync(
  DOCUMENT,
  readFileSync(DOCUMENT, 'utf8').replace(TABLES, () => settingsTables()),
);
