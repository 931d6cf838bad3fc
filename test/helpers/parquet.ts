/** Reads a Parquet file as a user of DuckDB does. */
import { DuckDBInstance, type JS } from '@duckdb/node-api';

/** The rows of `query`, in which `$file` stands for the path. */
export async function queryParquet(path: string, query: string): Promise<Record<string, JS>[]> {
  const database = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await database.connect();
  try {
    const reader = await connection.runAndReadAll(query.replaceAll('$file', `'${path}'`));
    return reader.getRowObjectsJS();
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}
