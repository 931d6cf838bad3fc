/**
 * What kind of error a record reports, from the keywords in its message and exception. Of several kinds
 * the first in the list below counts: a "database connection timeout" is a timeout.
 *
 * Only the first and last bytes of each text are read: message and type stand at the start of a Java or
 * JavaScript stack and at the end of a Python one, and the frames between would only mislead.
 */
import { KeywordAutomaton } from './keyword-automaton.ts';

export const ERROR_CLASSES = [
  'timeout',
  'database',
  'network',
  'auth',
  'memory',
  'validation',
  'dependency',
  'io',
  'unknown',
] as const;

const UNKNOWN = ERROR_CLASSES.length - 1;

const KEYWORDS: Readonly<Record<Exclude<(typeof ERROR_CLASSES)[number], 'unknown'>, string>> = {
  timeout: 'timeout|timed out|timedout|deadline exceeded|deadlineexceeded|time limit exceeded',
  database:
    'database|sql|postgres|maria|mongo|oracle| ora |cassandra|dynamodb|deadlock|duplicate key|duplicatekey|' +
    'unique constraint|foreign key|jdbc|hibernate|sequelize|prisma|psycopg|redis| db |connection pool|transaction',
  network:
    'network|socket|econnrefused|econnreset|econnaborted|enotfound|ehostunreach|enetunreach|epipe|eai again|' +
    'connection refused|connection reset|connection closed|connection error|connectionerror|connectexception|' +
    'could not connect|failed to connect|cannot connect|broken pipe| dns |getaddrinfo|unreachable|no route to host|' +
    'unknownhost|hang up|handshake| tls | ssl |sslexception|sslerror',
  auth:
    'unauthorized|unauthorised|unauthenticated|authentication|authorization|not authorized|forbidden|' +
    'permission denied|permissiondenied|access denied|accessdenied|invalid token|token expired|expired token| jwt |' +
    'jsonwebtoken|credential|login failed|wrong password|invalid password|csrf',
  memory:
    'out of memory|outofmemory|memory|heap space|java heap| heap |enomem| oom |oomkilled|allocation failed',
  validation:
    'validation|invalid|malformed|illegalargument|illegal argument|valueerror|typeerror|parseerror|parse error|' +
    'parsing|syntaxerror|unexpected token|schema|bad request|badrequest|missing required|missing field|' +
    'required field|numberformat|formatexception|out of range|constraintviolation|zoderror|not valid',
  dependency:
    'upstream|gateway|service unavailable|serviceunavailable|circuit breaker|circuitbreaker|dependency|third party|' +
    'external service|rate limit|ratelimit|too many requests|modulenotfound|module not found|cannot find module|' +
    'importerror|classnotfound|noclassdef| 502 | 503 | 504 ',
  io:
    'enoent|eacces|enospc|emfile|erofs|eisdir|enotdir| eio |i o error|no such file|file not found|filenotfound|' +
    'disk|ioexception|ioerror|oserror|read only file|file system|filesystem|too many open files|no space left|' +
    'unexpected eof| eof ',
};

const automaton = new KeywordAutomaton(
  ERROR_CLASSES.filter((name) => name !== 'unknown').map((name) => KEYWORDS[name].split('|')),
);

const HEAD_BYTES = 400;
const TAIL_BYTES = 160;

/** Bits of the classes of which a keyword stands at the start or the end of `start`..`end`. */
export function errorKeywords(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= HEAD_BYTES + TAIL_BYTES) return automaton.search(bytes, start, end);
  return automaton.search(bytes, start, start + HEAD_BYTES) | automaton.search(bytes, end - TAIL_BYTES, end);
}

/** Index in ERROR_CLASSES of what the bits of `errorKeywords` stand for. */
export function errorClassOf(keywords: number): number {
  return keywords === 0 ? UNKNOWN : 31 - Math.clz32(keywords & -keywords);
}

/** Index in ERROR_CLASSES of a class by its name, or -1. */
export function errorClassByName(name: string): number {
  return (ERROR_CLASSES as readonly string[]).indexOf(name);
}
