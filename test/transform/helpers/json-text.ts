/** Arbitrary JSON text in all the forms that are allowed and unusual. */
import fc from 'fast-check';

const SPACES = ['', '', '', ' ', '  ', '\n', '\t', '\r\n', ' \n\t '];
const space = fc.constantFrom(...SPACES);

const CHARACTERS = [
  ..."abcZ019 -_.:,{}[]/'",
  'é',
  '中',
  '😀',
  '\u0085',
  '\u2028',
  '\u2029',
  '\u007f',
  '\u00a0',
  '\ufeff',
  '\\"',
  '\\\\',
  '\\/',
  '\\n',
  '\\t',
  '\\u0000',
  '\\ud800',
  '\\uDFFF',
  '\\u2028',
  '\\ud83d\\ude00',
];

/** Text of a string, with escapes as a hostile producer may write them. */
const stringText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...CHARACTERS),
      fc.string({ maxLength: 3 }).map((text) => JSON.stringify(text).slice(1, -1)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => `"${parts.join('')}"`);

const numberText = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '1.0',
    '1e400',
    '-1E-400',
    '12345678901234567890',
    '0.1000',
    '1E+2',
    '9007199254740993',
    '30',
    '1700000000001',
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);

/** Key names that mean something to us, and names that break careless programs. */
const NAMES = [
  'timestamp',
  '@timestamp',
  'time',
  'ts',
  'service',
  'service.name',
  'level',
  'severity',
  'message',
  'msg',
  'correlation_id',
  'trace_id',
  'traceparent',
  'request_id',
  'requestId',
  'req',
  'id',
  'error_class',
  'extra',
  'err',
  'error',
  'exception',
  'stack',
  'context',
  'mdc',
  'fields',
  'record',
  'attributes',
  'resource',
  'key',
  'value',
  'name',
  'hostname',
  'pid',
  'caller',
  'v',
  'data',
  'spans',
  'log',
  'duration_ms',
  'type',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '0',
  '1',
];
const TEXTS = [
  '"2026-11-23T09:00:00.123Z"',
  '"2026-11-23T10:00:00.123456+01:00"',
  '1700000000.9999',
  '"info"',
  '"ERROR"',
  '"warning"',
  '30',
  '"timeout"',
  '"unknown"',
  '"payments"',
  '"4bf92f3577b34da6a3ce929d0e0e4736"',
  '""',
  'null',
  '"-"',
  '"00000000"',
  '"audit"',
];

const keyText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NAMES).map((name) => JSON.stringify(name)) },
  { weight: 1, arbitrary: stringText },
);

function joined(open: string, close: string, parts: readonly string[], spaces: readonly string[]): string {
  const [first = '', last = '', ...rest] = spaces;
  return `${open}${first}${parts.map((part, i) => `${part}${rest[i % 3] ?? ''}`).join(`,${first}`)}${last}${close}`;
}

const { value, object } = fc.letrec<{ value: string; object: string; array: string; member: string }>(
  (tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(...TEXTS),
      stringText,
      numberText,
      fc.constantFrom('true', 'false', 'null'),
      tie('object'),
      tie('array'),
    ),
    member: fc
      .tuple(keyText, space, space, tie('value'))
      .map(([key, before, after, text]) => `${key}${before}:${after}${text}`),
    object: fc
      .tuple(fc.array(tie('member'), { maxLength: 7 }), fc.array(space, { minLength: 5, maxLength: 5 }))
      .map(([parts, spaces]) => joined('{', '}', parts, spaces)),
    array: fc
      .tuple(fc.array(tie('value'), { maxLength: 4 }), fc.array(space, { minLength: 5, maxLength: 5 }))
      .map(([parts, spaces]) => joined('[', ']', parts, spaces)),
  }),
);

export const valueText = value;
export const objectText = object;
