import { expect, it } from "vitest";
import { z } from "zod";
import { createDatabase, dropDatabase } from "../../tests/harness/database.js";
import { testSettings } from "../../tests/harness/settings.js";
import { withPool } from "../postgres/with_pool.js";
import { instant, instantOf, keyset } from "./page.js";

const pages = keyset("movements", { created_at: instant, id: z.number().int() });
const query = z.strictObject({ ...pages.query });
const SQL = `
  SELECT id, ${instantOf("created_at")} AS created_at FROM movement
  WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1, $2::bigint)
  ORDER BY created_at DESC, id DESC LIMIT $3`;

it("pages over PostgreSQL's microseconds have every row once, whatever the session's time zone is", async () => {
  const database = await createDatabase("empty");
  const at = testSettings({ POSTGRES_DB: database });
  try {
    await withPool(at, { role: "admin", session: { TimeZone: "Asia/Kathmandu" } }, async (pool) => {
      await pool.query(`
        CREATE TABLE movement (id bigint PRIMARY KEY, created_at timestamptz NOT NULL);
        INSERT INTO movement SELECT n, '2026-01-01 00:00Z'::timestamptz + (n / 3) * interval '1 microsecond'
        FROM generate_series(1, 100) AS n`);
      const seen: number[] = [];
      for (let cursor: string | null = ""; cursor !== null; ) {
        const asked = query.parse({ limit: "7", ...(cursor === "" ? {} : { cursor }) });
        const after = asked.cursor;
        const values = [after?.created_at ?? null, after?.id ?? null, pages.rowsOf(asked)];
        const { rows } = await pool.query<{ id: number; created_at: string }>(SQL, values);
        const page = pages.page(rows, asked, (row) => row);
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      }
      expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => 100 - i));
    });
  } finally {
    await dropDatabase(database);
  }
});
