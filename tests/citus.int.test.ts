import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Queryable } from "../lib/postgres/pool.js";
import { packageRoot } from "../lib/root.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";

/**
 * db/citus.sql on a server that has no Citus: its function is one that takes down what it is called with. So this proves that the file
 * fits the schema that migrations make, and that what it leaves keeps Citus's rules; not what Citus makes of it.
 */
const TAKES_DOWN = `
  CREATE TABLE public.asked (relation regclass, distribution_column text);
  CREATE FUNCTION public.create_distributed_table(name regclass, distribution_column text,
      colocate_with text DEFAULT 'default', shard_count integer DEFAULT NULL) RETURNS void
    LANGUAGE sql AS $$ INSERT INTO public.asked VALUES ($1, $2) $$;`;
const FILE = readFileSync(join(packageRoot, "db/citus.sql"), "utf8");

const rowsOf = async (db: Queryable, sql: string) => (await db.query(sql)).rows;

describe("db/citus.sql", () => {
  let database: string;
  const asAdmin = <T>(work: (db: Queryable) => Promise<T>) => withPool({ role: "admin", database }, work);
  beforeAll(async () => {
    database = await createDatabase("migrated");
    await asAdmin((db) => db.query(`BEGIN; SET LOCAL ROLE payments_owner; ${TAKES_DOWN} COMMIT`));
  });
  afterAll(() => dropDatabase(database));

  it("refuses a database that has payments", async () => {
    await asAdmin(async (db) => {
      const step = `INSERT INTO saga.step (payment_id, event, message_id, state, trace_id)
                    VALUES (ops.uuid_v7(), 'payments.created', 'm', 'PENDING', ops.uuid_v7())`;
      const tried = db.query(`BEGIN; SET LOCAL ROLE payments_owner; ${step}; ${FILE} COMMIT`);
      await expect(tried).rejects.toMatchObject({ code: "23502" });
    });
  });

  it("leaves tables whose keys all have the customer, with no trigger and no key to another node", async () => {
    await asAdmin(async (db) => {
      await db.query(`BEGIN; ${FILE} COMMIT`);
      expect((await rowsOf(db, "SELECT FROM asked")).length).toBe(8);
      const withoutCustomer = `
        SELECT i.indexrelid::regclass AS index FROM asked JOIN pg_index i ON i.indrelid = relation
        WHERE i.indisunique AND NOT EXISTS (
          SELECT FROM pg_attribute a
          WHERE a.attrelid = relation AND a.attname = distribution_column AND a.attnum = ANY (i.indkey))`;
      expect(await rowsOf(db, withoutCustomer)).toEqual([]);
      expect(
        await rowsOf(
          db,
          "SELECT tgname FROM asked JOIN pg_trigger ON tgrelid = relation AND NOT tgisinternal",
        ),
      ).toEqual([]);
      const foreign = `
        SELECT conname FROM asked f JOIN pg_constraint ON conrelid = f.relation AND contype = 'f'
        WHERE NOT EXISTS (
          SELECT FROM asked t JOIN pg_attribute a ON a.attrelid = t.relation AND a.attname = t.distribution_column
          JOIN pg_attribute b ON b.attrelid = f.relation AND b.attname = f.distribution_column
          WHERE t.relation = confrelid AND array_position(confkey, a.attnum) = array_position(conkey, b.attnum))`;
      expect(await rowsOf(db, foreign)).toEqual([]);
      expect(await rowsOf(db, "SELECT relation FROM asked GROUP BY 1 HAVING count(*) > 1")).toEqual([]);
    });
  });
});
