import type { Count, Store } from './types';

// Database is what of a PostgreSQL client is needed; a Pool of the package pg fits.
export interface Database {
  query(text: string, values: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
}

// PostgresStore counts in the table that migration.sql makes.
export class PostgresStore implements Store {
  constructor(private readonly database: Database) {}

  async add(key: string, window: number, amount: number, limit: number): Promise<Count> {
    const { rows } = await this.database.query('select used, added from add_[[.RESOURCE]]($1, $2, $3, $4)', [
      key,
      window,
      amount,
      limit,
    ]);
    const row = rows[0];
    if (!row) {
      throw new Error('add_[[.RESOURCE]] returned no row; is its migration.sql applied?');
    }
    return { used: Number(row.used), added: row.added === true };
  }
}
