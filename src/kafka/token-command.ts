/** An access token from a program. What it prints and how it was called is never repeated: it may be secret. */
import { type ExecFileException, execFile } from 'node:child_process';
import { ServiceError } from '../core/errors.ts';
import { type AccessToken, ANSWER_TIMEOUT_MS, MAX_ANSWER_BYTES, readToken } from './access-token.ts';

/**
 * Runs the program without a shell.
 * @throws ServiceError AUTHENTICATION_FAILED when it cannot be started, TOKEN_UNAVAILABLE when it gives no
 *   token
 */
export async function tokenFromCommand([program = '', ...args]: readonly string[]): Promise<AccessToken> {
  const output = await run(program, args);
  const token = readToken(output, Date.now());
  if (token === undefined) throw unavailable(program, 'printed something else than an access token');
  return token;
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: ANSWER_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_ANSWER_BYTES,
    } as const;
    const child = execFile(program, args, options, (error, output) => {
      if (error === null) resolve(output);
      else reject(explained(program, error));
    });
    child.stdin?.end();
  });
}

function explained(program: string, { code, killed, signal }: ExecFileException): ServiceError {
  if (code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return unavailable(program, 'printed too much');
  if (typeof code === 'string') {
    return new ServiceError(
      'AUTHENTICATION_FAILED',
      `The command ${program} of kafka.sasl.token_command cannot be started (${code}): check its path and its rights.`,
      { program },
    );
  }
  if (killed === true) return unavailable(program, `did not end within ${ANSWER_TIMEOUT_MS / 1000} s`);
  return unavailable(program, signal ? `was ended by ${signal}` : `failed with exit code ${code}`);
}

function unavailable(program: string, what: string): ServiceError {
  return new ServiceError(
    'TOKEN_UNAVAILABLE',
    `The command ${program} of kafka.sasl.token_command ${what}: run it by hand to see why.`,
    { program },
  );
}
