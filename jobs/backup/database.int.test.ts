import { afterEach, expect, test } from "vitest";
import { createDatabase, dropDatabase, withPool } from "../../tests/harness/database.js";
import { eventually } from "../../tests/harness/eventually.js";
import { MAINTENANCE, renameInto } from "./database.js";

const made: string[] = [];
afterEach(() => Promise.all(made.splice(0).map(dropDatabase)));

test("a session that ends only after ALTER DATABASE has given up waiting for it does not keep a restored database from its name", async () => {
  const name = await createDatabase("empty");
  const restored = await createDatabase("empty");
  made.push(name, restored);
  await withPool({ role: "admin", database: MAINTENANCE }, async (admin) => {
    await withPool({ role: "admin", database: name }, async (pool) => {
      const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      const pid = rows[0]?.pid as number;
      process.kill(pid, "SIGSTOP"); // Told to end, it does so when it goes on.
      try {
        const renamed = renameInto(admin, restored, name, "filled", new Date());
        const tries = new Set<string>();
        await eventually("a second try", async () => {
          const { rows } = await withPool({ role: "admin" }, (other) =>
            other.query<{ began: string }>(
              `SELECT xact_start::text AS began FROM pg_stat_activity
               WHERE query LIKE 'ALTER DATABASE%${name}%RENAME%' AND state = 'active' AND pid <> pg_backend_pid()`,
            ),
          );
          for (const { began } of rows) {
            tries.add(began);
          }
          return tries.size > 1;
        });
        process.kill(pid, "SIGCONT");
        made.push((await renamed) as string);
      } finally {
        process.kill(pid, "SIGCONT");
      }
    }).catch(() => undefined); // Its connection was ended.
    const { rows } = await admin.query("SELECT datname FROM pg_database WHERE datname = ANY($1)", [made]);
    expect(rows.map(({ datname }) => datname).sort()).toEqual([name, made[2]].sort());
  });
});
