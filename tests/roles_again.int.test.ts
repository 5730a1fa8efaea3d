import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool } from "../lib/postgres/pool.js";
import { freshName } from "./harness/backup_folder.js";
import { Cluster } from "./harness/cluster.js";
import { payments } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.create();
});
afterAll(() => cluster.remove());

test("db/roles.sql runs at any time: for a role that lacks, and to put right what was changed by hand", async () => {
  const database = freshName();
  const settings = testSettings({ ...cluster.settings(), POSTGRES_DB: database });
  const byHand = async (...statements: string[]) => {
    for (const statement of statements) {
      await cluster.superuser(statement, database);
    }
  };
  await cluster.up(async () => {
    await cluster.provision(database);
    await byHand("DROP OWNED BY payments_exporter", "DROP ROLE payments_exporter");
    expect(await payments(settings, "migrate", "up")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^payments: ROLE_MISSING: .* payments_exporter\. Run db\/roles\.sql /),
    });
    expect(await cluster.superuser("SELECT to_regnamespace('ops')", database)).toBeNull();
    await cluster.provision(database);
    expect(await payments(settings, "migrate", "up")).toMatchObject({ code: 0, stderr: "" });

    const worker = createPool(settings, { max: 1 });
    await worker.query("SELECT FROM txn");
    await byHand(
      "ALTER ROLE payments_admin VALID UNTIL '2020-01-01'",
      "ALTER ROLE payments_loader NOLOGIN PASSWORD 'other'",
      "ALTER ROLE payments_reader SUPERUSER",
      "REVOKE payments_owner FROM payments_admin",
      `REVOKE CONNECT ON DATABASE ${database} FROM payments_loader`,
      `ALTER DATABASE ${database} OWNER TO postgres`,
      "ALTER DATABASE payments_scratch OWNER TO postgres",
      "UPDATE pg_database SET datistemplate = false, datallowconn = false WHERE datname = 'payments_scratch'",
      "ALTER ROLE postgres SET default_transaction_read_only = on",
    );
    expect((await payments(settings, "migrate", "verify")).stderr).toContain("POSTGRES_AUTH");
    await Promise.all([cluster.provision(database), cluster.provision(database)]);
    await worker.query("SELECT FROM txn");
    await worker.end();
    expect(await payments(settings, "migrate", "verify")).toMatchObject({ code: 0, stderr: "" });
    expect(await payments(settings, "status")).toMatchObject({ code: 0, stderr: "" });
    const kept = `SELECT string_agg(concat_ws(' ', datname, datdba::regrole, datistemplate, datallowconn), ', ' ORDER BY datname DESC)
                  FROM pg_database WHERE datname LIKE 'payments_scratch' OR datname = '${database}'`;
    expect(await cluster.superuser(kept, database)).toBe(
      [`${database} payments_owner f t`, "payments_scratch payments_owner t t"].sort().reverse().join(", "),
    );
    expect(
      await cluster.superuser("SELECT rolsuper FROM pg_roles WHERE rolname = 'payments_reader'", database),
    ).toBe(false);
  });
});
