/** Reads the part of the Dockerfile language that our Dockerfile uses. */

export type Step =
  | { readonly kind: 'from'; readonly image: string; readonly name: string | undefined }
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'copy';
      /** The stage to copy from; the project itself when undefined. */
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'entrypoint'; readonly words: readonly string[] };

/** Instructions that say how a container runs and build nothing. */
const IGNORED = new Set(['USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'CMD']);

/** The steps of a Dockerfile in order; throws on an instruction or a form that it does not know. */
export function parseDockerfile(text: string): Step[] {
  const lines = text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.flatMap(parseInstruction);
}

function parseInstruction(line: string): Step[] {
  const [instruction = '', ...words] = line.split(/\s+/);
  if (IGNORED.has(instruction)) return [];
  return [parseStep(instruction, words, line)];
}

function parseStep(instruction: string, words: readonly string[], line: string): Step {
  const rest = line.slice(instruction.length).trim();
  switch (instruction) {
    case 'FROM':
      return { kind: 'from', image: words[0] ?? '', name: words[1] === 'AS' ? words[2] : undefined };
    case 'WORKDIR':
      return { kind: 'workdir', path: rest };
    case 'ENV': {
      const [name = '', value = ''] = rest.split('=', 2);
      return { kind: 'env', name, value };
    }
    case 'COPY':
      return parseCopy(words, line);
    case 'RUN':
      return { kind: 'run', command: rest };
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', words: JSON.parse(rest) as string[] };
    default:
      throw new Error(`the steps script does not know this Dockerfile instruction: ${line}`);
  }
}

function parseCopy(words: readonly string[], line: string): Step {
  const options = words.filter((word) => word.startsWith('--'));
  const paths = words.filter((word) => !word.startsWith('--'));
  const from = options[0]?.startsWith('--from=') ? options[0].slice('--from='.length) : undefined;
  const target = paths.at(-1);
  if (options.length > 1 || (options.length === 1 && from === undefined) || target === undefined) {
    throw new Error(`the steps script does not know this form of COPY: ${line}`);
  }
  return { kind: 'copy', from, sources: paths.slice(0, -1), target };
}
