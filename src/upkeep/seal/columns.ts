/**
 * The columnar sidecar of a segment of `service_logs`: `<segment>.parquet` (Apache Parquet, zstd, sorted
 * by timestamp, small row groups, so that a query reads only the groups of its time range).
 *
 * Columns: `timestamp` (TIMESTAMP, UTC), `service`, `level`, `message`, `correlation_id`, `request_id`,
 * `error_class`, `extra` (the JSON text as it stands in the line), and one BOOLEAN per category, named like
 * its log file. Its key-value metadata names the segment and the checksum of its lines.
 */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { CATEGORIES } from '../../core/files.ts';
import { syncFile } from '../../storage/sync-file.ts';
import { ABSENT_FIELD, ESCAPE, ESCAPES, FIELD_SEPARATOR } from './row-text.ts';

export interface ColumnsOptions {
  /** Where DuckDB puts what does not fit into memory. */
  readonly temporaryDirectory: string;
  readonly memoryBytes: number;
}

/** The rows of a segment, in the format of row-text.ts. */
export interface Rows {
  readonly path: string;
  readonly count: number;
  readonly longestBytes: number;
}

/** Rows of one group: some MiB of ordinary records. */
const ROW_GROUP_ROWS = 20_480;
/** DuckDB wants room for four of the longest rows in a buffer, and holds a few buffers beyond its other needs. */
const ROWS_PER_BUFFER = 4;
const BUFFERS = 3;
const MIN_BUFFER_BYTES = 1 << 20;
const STRINGS = ['service', 'level', 'message', 'correlation_id', 'request_id', 'error_class'] as const;
/** All columns of the sidecar. */
const COLUMNS = ['timestamp', ...STRINGS, 'extra', ...CATEGORIES];
/** Those of them that can hold any text. */
const FREE_TEXTS: ReadonlySet<string> = new Set(['service', 'message', 'correlation_id', 'request_id']);

/** What must be equal in the rows and in the sidecar. */
interface Digest {
  readonly rows: bigint;
  readonly sum: string;
}

/**
 * Writes `rows` to `target`, syncs it, reads it back and compares it with them.
 * @param source names the segment in the sidecar's metadata
 * @throws Error when the sidecar does not hold exactly the rows
 */
export async function writeColumns(
  rows: Rows,
  target: string,
  source: SourceOfColumns,
  options: ColumnsOptions,
): Promise<void> {
  const bufferBytes = Math.max(ROWS_PER_BUFFER * rows.longestBytes, MIN_BUFFER_BYTES);
  const memoryBytes = options.memoryBytes + BUFFERS * (bufferBytes - MIN_BUFFER_BYTES);
  const database = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${Math.floor(memoryBytes / 1024)}KiB`,
    temp_directory: options.temporaryDirectory,
    // The rows are sorted anyway, and what arrives out of order need not be held.
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const connection = await database.connect();
    try {
      const expected = selectRows(rows, bufferBytes);
      await connection.run(copyOf(expected, target, source));
      // DuckDB writes the file and leaves its durability to others.
      await syncFile(target);
      await requireEqual(connection, expected, target, rows.count);
    } finally {
      connection.closeSync();
    }
  } finally {
    database.closeSync();
  }
}

interface SourceOfColumns {
  readonly segment: string;
  readonly crc32c: string;
}

function copyOf(rows: string, target: string, { segment, crc32c }: SourceOfColumns): string {
  const metadata = `{segment: ${quoted(segment)}, lines_crc32c: ${quoted(crc32c)}}`;
  return `COPY (${rows} ORDER BY timestamp) TO ${quoted(target)}
    (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, KV_METADATA ${metadata})`;
}

/** The rows as they are to stand in the sidecar. */
function selectRows({ path, longestBytes }: Rows, bufferBytes: number): string {
  const columns = ['timestamp', ...STRINGS, 'extra'].map((name) => `${quoted(name)}: 'VARCHAR'`);
  const texts = STRINGS.map((name) => (FREE_TEXTS.has(name) ? `${restored(name)} AS ${name}` : name));
  const flags = CATEGORIES.map((name, bit) => `(categories & ${1 << bit}) <> 0 AS ${name}`);
  const reader = [
    `columns = {${columns.join(', ')}, 'categories': 'UTINYINT'}`,
    'header = false',
    'auto_detect = false',
    `delim = ${quoted(FIELD_SEPARATOR)}`,
    "quote = ''",
    "escape = ''",
    "new_line = '\\n'",
    `nullstr = ${quoted(ABSENT_FIELD)}`,
    `max_line_size = ${longestBytes}`,
    `buffer_size = ${bufferBytes}`,
    'parallel = false',
  ];
  return `SELECT timestamp::TIMESTAMP AS timestamp, ${[...texts, 'extra', ...flags].join(', ')}
    FROM read_csv(${quoted(path)}, ${reader.join(', ')})`;
}

/** Undoes `protect`; the escape itself comes last, so that what it gives is not taken for an escape. */
function restored(column: string): string {
  const ordered = [...ESCAPES].toSorted(([a], [b]) => Number(a === ESCAPE) - Number(b === ESCAPE));
  const decoded = ordered.reduce(
    (text, [character, letter]) =>
      `replace(${text}, ${quoted(ESCAPE + letter)}, chr(${character.charCodeAt(0)}))`,
    column,
  );
  return `CASE WHEN contains(${column}, ${quoted(ESCAPE)}) THEN ${decoded} ELSE ${column} END`;
}

async function requireEqual(
  connection: DuckDBConnection,
  rows: string,
  target: string,
  records: number,
): Promise<void> {
  const expected = await digestOf(connection, `(${rows})`);
  const found = await digestOf(connection, `read_parquet(${quoted(target)})`);
  if (found.rows === BigInt(records) && found.rows === expected.rows && found.sum === expected.sum) return;
  throw new Error(
    `${target} does not hold what went into it (${found.rows} rows, ${records} lines in the segment).`,
  );
}

/** Does not depend on the order of the rows. */
async function digestOf(connection: DuckDBConnection, table: string): Promise<Digest> {
  const reader = await connection.runAndReadAll(
    `SELECT count(*) AS rows, sum(hash(${COLUMNS.join(', ')})::HUGEINT)::VARCHAR AS sum FROM ${table}`,
  );
  const [row] = reader.getRowObjects();
  return { rows: row?.['rows'] as bigint, sum: String(row?.['sum'] ?? '') };
}

/** A string literal of SQL. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
