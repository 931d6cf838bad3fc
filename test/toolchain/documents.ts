/** The little of Markdown that tests of our documents need. */

/** Contents of the fenced blocks of a language. */
export function codeBlocks(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)\\n\`\`\`$`, 'gms'));
  return [...blocks].map(([, content = '']) => content);
}

/** The rows, as trimmed cells, of all tables whose first heading is `heading`. */
export function tableRows(markdown: string, heading: string): string[][] {
  const rows: string[][] = [];
  let inTable = false;
  for (const line of markdown.split('\n')) {
    if (!line.startsWith('|')) inTable = false;
    else if (cellsOf(line)[0] === heading) inTable = true;
    else if (inTable && !line.startsWith('| ---')) rows.push(cellsOf(line));
  }
  return rows;
}

/** What stands between backticks. */
export function codesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}
