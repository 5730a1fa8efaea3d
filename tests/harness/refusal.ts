import type { Pool } from "../../lib/postgres/pool.js";

/** The SQLSTATE with which a statement is refused, or `done`; it is undone in any case. */
export async function refusal(pool: Pool, sql: string): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query(sql);
    return "done";
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}
