import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Pool } from "../../lib/postgres/pool.js";
import { packageRoot } from "../../lib/root.js";
import { createDatabase, dropDatabase, withPool } from "./database.js";
import { testSettings } from "./settings.js";

/** A data lake of a test's own. */
export class Lake {
  readonly name: string;
  /** For DATALAKE_DATABASE_URL. */
  readonly url: string;

  private constructor(name: string) {
    this.name = name;
    this.url = Object.assign(new URL(testSettings().DATALAKE_DATABASE_URL), { pathname: `/${name}` }).href;
  }

  static async create(): Promise<Lake> {
    const lake = new Lake(await createDatabase("empty"));
    const sql = readFileSync(join(packageRoot, "db", "datalake.sql"), "utf8");
    await lake.owner((pool) => pool.query(sql));
    return lake;
  }

  /** A statement of the table's owner. */
  async query<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return this.owner(async (pool) => (await pool.query(sql, values)).rows as Row[]);
  }

  owner<T>(work: (pool: Pool) => Promise<T>): Promise<T> {
    return withPool({ role: "admin", database: this.name }, async (pool) => {
      await pool.query("SET ROLE payments_owner");
      return work(pool);
    });
  }

  /** How many rows are marked, and how many are not. */
  async marks(): Promise<{ readonly marked: number; readonly waiting: number }> {
    const [marks] = await this.query<{ marked: number; waiting: number }>(
      `SELECT count(*) FILTER (WHERE processed AND processed_at IS NOT NULL) AS marked, count(*) FILTER (WHERE NOT processed) AS waiting
       FROM raw_transactions`,
    );
    return marks as { marked: number; waiting: number };
  }

  drop(): Promise<void> {
    return dropDatabase(this.name);
  }
}
