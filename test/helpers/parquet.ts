/** Reads Parquet files as a user of DuckDB does. */
import { DuckDBInstance, type JS } from '@duckdb/node-api';

export async function queryDuckDb(query: string): Promise<Record<string, JS>[]> {
  const database = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await database.connect();
  try {
    return (await connection.runAndReadAll(query)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

/** The rows of `query`, in which `$file` stands for the path. */
export function queryParquet(path: string, query: string): Promise<Record<string, JS>[]> {
  return queryDuckDb(query.replaceAll('$file', `'${path}'`));
}
