import type { Database } from '../../src/store/database.ts';

/**
 * Counts written rows by table, in whichever transaction: a trigger on each table draws from a sequence, which no rollback
 * takes back.
 */
export type WriteCounter = { readonly read: () => Promise<{ readonly [table: string]: number }> };

export async function countWrites({ sql }: Pick<Database, 'sql'>): Promise<WriteCounter> {
  const rows = await sql<{ name: string }[]>`
    SELECT relname AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT IN ('processes', 'refusals')`;
  await sql.unsafe(`
    CREATE FUNCTION test_count_write() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('test_written_' || TG_ARGV[0]); RETURN NULL; END $$`);
  for (const { name } of rows) {
    await sql.unsafe(`
      CREATE SEQUENCE test_written_${name};
      CREATE TRIGGER test_count_write AFTER INSERT OR UPDATE OR DELETE ON ${name}
      FOR EACH ROW EXECUTE FUNCTION test_count_write('${name}')`);
  }
  return {
    async read() {
      const written = await sql<{ name: string; count: number | null }[]>`
        SELECT substr(sequencename, 14) AS name, last_value AS count FROM pg_sequences
        WHERE sequencename LIKE 'test\\_written\\_%'`;
      return Object.fromEntries(written.map(({ name, count }) => [name, count ?? 0]));
    },
  };
}

/** The tables that were written between two readings, with how many rows. */
export const writtenBetween = (
  before: { readonly [table: string]: number },
  after: { readonly [table: string]: number },
): { readonly [table: string]: number } =>
  Object.fromEntries(
    Object.entries(after)
      .map(([table, count]) => [table, count - (before[table] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
