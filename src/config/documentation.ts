/**
 * What is generated from the schema: config.schema.json for editors, config.yaml with every default,
 * and the table of docs/configuration.md. `npm run config:schema` writes them; a test proves them current.
 */
import { stringify } from 'yaml';
import { z } from 'zod';
import { configSchema } from './schema.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** Width of comments in config.yaml, indentation included. */
const LINE_WIDTH = 100;

/** The JSON Schema (draft 2020-12) of config.yaml, as the text of config.schema.json. */
export function configSchemaText(): string {
  const schema = z.toJSONSchema(configSchema, { io: 'input' });
  return `${JSON.stringify({ title: 'Log Consumer Service configuration', ...schema }, null, 2)}\n`;
}

/** The text of config.yaml: every setting with its default, reason, accepted values and variable. */
export function configYamlText(): string {
  const lines = [
    '# yaml-language-server: $schema=./config.schema.json',
    '#',
    '# Every setting with its default. Leave out what you do not change: a missing key has its default.',
    '# The environment beats this file; the variable of a setting is named with it. Secrets never stand',
    `# here: write \${env:NAME} or \${file:PATH} instead. "log-consumer check" says whether all is well.`,
    '#',
    '# Generated from src/config/schema.ts by `npm run config:schema`.',
  ];
  let open: readonly string[] = [];
  for (const setting of SETTINGS) {
    const parents = setting.path.slice(0, -1);
    lines.push(
      ...parents.flatMap((key, depth) => (open[depth] === key ? [] : heading(parents.slice(0, depth + 1)))),
    );
    lines.push(...settingLines(setting));
    open = parents;
  }
  return `${lines.join('\n')}\n`;
}

/** One Markdown table per section, in the order of config.yaml. */
export function settingsTables(): string {
  const sections = [...new Set(SETTINGS.map(({ path }) => path[0] ?? ''))];
  return sections.map((section) => table(section)).join('\n\n');
}

function heading(section: readonly string[]): string[] {
  const indent = '  '.repeat(section.length - 1);
  const gap = section.length === 1 ? [''] : [];
  const description = section.length === 1 ? sectionDescription(section[0] ?? '') : '';
  return [...gap, ...(description === '' ? [] : comment(description, indent)), `${indent}${section.at(-1)}:`];
}

function sectionDescription(name: string): string {
  const schema: z.ZodType | undefined = Object.entries<z.ZodType>(configSchema.shape).find(
    ([key]) => key === name,
  )?.[1];
  return schema?.description ?? '';
}

function settingLines({ path, description, accepts, variable, defaultValue }: Setting): string[] {
  const indent = '  '.repeat(path.length - 1);
  const unit = variable.unit === '' ? '' : ` (a plain number of ${variable.unit})`;
  const assignment = stringify({ [path.at(-1) ?? '']: defaultValue }, { lineWidth: 0 }).trimEnd();
  return [
    ...comment(description, indent),
    ...comment(`Accepts ${accepts}. Environment: ${variable.name}${unit}`, indent),
    ...assignment.split('\n').map((line) => `${indent}${line}`),
  ];
}

/** Words filled into comment lines. */
function comment(sentence: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of sentence.split(' ')) {
    if (line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function table(section: string): string {
  const rows = SETTINGS.filter(({ path }) => path[0] === section).map(tableRow);
  return [
    `### ${section}`,
    '',
    sectionDescription(section),
    '',
    '| key | default | accepts | variable | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function tableRow({ path, defaultValue, accepts, variable, description }: Setting): string {
  const value =
    typeof defaultValue === 'string' && defaultValue !== '' ? defaultValue : JSON.stringify(defaultValue);
  const unit = variable.unit === '' ? '' : ` (number of ${variable.unit})`;
  const shown = value.length > 40 ? 'see config.yaml' : `\`${value}\``;
  const cells = [
    `\`${path.slice(1).join('.')}\``,
    shown,
    accepts,
    `\`${variable.name}\`${unit}`,
    description,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
