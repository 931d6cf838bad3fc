/** Runs the command line in this process and keeps what it prints. */
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { main } from '../../src/main.ts';

export interface Printed {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/**
 * @param input what the command finds on its standard input, in these chunks
 * @param env all it finds in its environment, whatever the machine has set
 */
export async function runMain(
  argv: readonly string[],
  input: readonly (string | Uint8Array)[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Printed> {
  const output = new PassThrough();
  const errors = new PassThrough();
  const printed = Promise.all([text(output), text(errors)]);
  const source = Readable.from(input.map((chunk) => Buffer.from(chunk)));
  const code = await main(argv, { input: source, output, errors }, env);
  output.end();
  errors.end();
  const [outputText, errorText] = await printed;
  return { code, output: outputText, errors: errorText };
}
