import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Mismatch } from "../jobs/backup/compare.js";
import type { Pool } from "../lib/postgres/pool.js";
import { withPool as withPoolOf } from "../lib/postgres/with_pool.js";
import { BackupFolder, freshName } from "./harness/backup_folder.js";
import { createDatabase, dropDatabase } from "./harness/database.js";
import { backups } from "./harness/process.js";
import { testSettings } from "./harness/settings.js";

/** What a DBA, a colleague and a tool leave in a database over the years; {role} and {other} are two roles of theirs. */
const SEDIMENT = `
  CREATE ROLE "{role}"; CREATE ROLE {other};
  DELETE FROM payments.terminal; DELETE FROM payments.account; DELETE FROM payments.merchant WHERE merchant_id > 100;

  CREATE EXTENSION pageinspect; CREATE EXTENSION pgcrypto SCHEMA payments; CREATE EXTENSION bloom; CREATE EXTENSION amcheck;
  CREATE EXTENSION postgres_fdw;
  CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
  CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (password 'secret');
  CREATE FOREIGN TABLE payments.far (id int) SERVER elsewhere;
  CREATE PUBLICATION everything FOR ALL TABLES;
  CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION public.watch();
  CREATE FUNCTION public.fast(int) RETURNS int LANGUAGE internal STRICT AS 'int4inc';
  CREATE FUNCTION payments.total() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM payments.account';
  CREATE AGGREGATE public.plus(int) (sfunc = int4pl, stype = int);
  SELECT lo_from_bytea(0, 'a large object');

  CREATE SCHEMA "Odd Schema" AUTHORIZATION "{role}";
  CREATE TYPE "Odd Schema".mood AS ENUM ('well');
  CREATE TABLE "Odd Schema"."My ""Table""" (id serial, mood "Odd Schema".mood); INSERT INTO "Odd Schema"."My ""Table""" VALUES (1, 'well');
  ALTER TABLE "Odd Schema"."My ""Table""" OWNER TO {other};
  CREATE TABLE payments.dba (id int); INSERT INTO payments.dba VALUES (1), (2); COMMENT ON TABLE payments.dba IS 'mine';
  -- What restores only with an extension that none but a superuser may install.
  CREATE TABLE payments.pages (id int, page text DEFAULT fsm_page_contents(NULL)); INSERT INTO payments.pages VALUES (1, '');
  CREATE INDEX merchant_bloom ON payments.merchant USING bloom (merchant_id);
  CREATE TABLE public.secret (id int); INSERT INTO public.secret VALUES (1); ALTER TABLE public.secret ENABLE ROW LEVEL SECURITY;
  CREATE TABLE public.forced (id int); INSERT INTO public.forced VALUES (1), (2);
  ALTER TABLE public.forced ENABLE ROW LEVEL SECURITY; ALTER TABLE public.forced FORCE ROW LEVEL SECURITY;
  CREATE CAST (text AS int) WITH INOUT;
  -- Not restorable at all: pg_restore has an empty search_path.
  CREATE FUNCTION payments.one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
  CREATE FUNCTION payments.good(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT payments.one() = $1';
  SET search_path = payments, public;
  CREATE TABLE public.fussy (id int CHECK (payments.good(id))); INSERT INTO public.fussy VALUES (1);
  CREATE MATERIALIZED VIEW payments.mine AS SELECT count(*) FROM payments.merchant;
  CREATE MATERIALIZED VIEW payments.stale AS SELECT good(1) AS good;
  -- Last, because from PostgreSQL 17 on a view that needs a search_path cannot be made either.
  CREATE OR REPLACE FUNCTION payments.good(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT one() = $1';
  SET ROLE payments_owner; CREATE MATERIALIZED VIEW payments.ours AS SELECT count(*) FROM payments.merchant; RESET ROLE;

  GRANT SELECT ON payments.merchant TO "{role}", {other}; GRANT CONNECT ON DATABASE {database} TO "{role}" WITH GRANT OPTION;
  ALTER DEFAULT PRIVILEGES FOR ROLE {other} GRANT SELECT ON TABLES TO PUBLIC;
  COMMENT ON DATABASE {database} IS 'it''s ours'; ALTER DATABASE {database} CONNECTION LIMIT 50;

  ALTER DATABASE {database} SET timezone = 'Europe/Berlin';
  ALTER DATABASE {database} SET datestyle = 'ISO, DMY';
  ALTER DATABASE {database} SET search_path = "$user", "Odd Schema", payments;
  ALTER DATABASE {database} SET app.tenant = 'a=b''s';
  ALTER DATABASE {database} SET log_min_duration_statement = '1h';
  ALTER DATABASE {database} SET quote_all_identifiers = on;
  ALTER DATABASE {database} SET default_transaction_isolation = 'serializable';
  ALTER DATABASE {database} SET default_transaction_read_only = on;
  ALTER DATABASE {database} SET statement_timeout = '5ms';
  ALTER DATABASE {database} SET lock_timeout = '1ms';
  ALTER ROLE payments_reader IN DATABASE {database} SET work_mem = '8MB';
  ALTER ROLE "{role}" IN DATABASE {database} SET "TimeZone" = 'Asia/Tokyo';
`;
const ROLES = { role: `Odd ${freshName()}`, other: freshName() };

/** Databases that tests restored into; roles cannot be dropped before them. */
const made: string[] = [];
function newName(): string {
  made.push(freshName());
  return made.at(-1) ?? "";
}

let database: string;
let folder: BackupFolder;
let id: string;
let said: string;

const superuserPassword = () =>
  readFileSync(join(process.env["STACK_DIR"] ?? "", "secrets", "postgres_password"), "utf8").trim();

function asSuperuser<T>(name: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const as = testSettings({ POSTGRES_USER: "postgres", POSTGRES_PASSWORD: superuserPassword() });
  return withPoolOf(as, { database: name, session: { default_transaction_read_only: "off" } }, work);
}

const column = (name: string, sql: string) =>
  asSuperuser(name, async (pool) =>
    (await pool.query({ text: sql, rowMode: "array" })).rows.map(([cell]) => cell),
  );

const run = (...args: string[]) =>
  backups(testSettings({ BACKUP_DIR: folder.path, POSTGRES_DB: database }), ...args);

beforeAll(async () => {
  folder = new BackupFolder();
  database = await createDatabase("seeded");
  const names: Record<string, string> = { ...ROLES, database };
  await asSuperuser(database, (pool) =>
    pool.query(SEDIMENT.replaceAll(/\{(\w+)\}/g, (_, name: string) => names[name] ?? "")),
  );
  const backup = await run("backup");
  expect(backup.stderr).toMatch(/\d+ things will not come back as they were/);
  expect(backup.code).toBe(0);
  said = backup.stderr;
  id = folder.ids()[0] ?? "";
});
afterAll(async () => {
  folder.remove();
  for (const name of [database, ...made.splice(0)]) {
    await dropDatabase(name);
  }
  await asSuperuser("postgres", (pool) =>
    pool.query(`DROP ROLE IF EXISTS "${ROLES.role}"; DROP ROLE IF EXISTS ${ROLES.other}`),
  );
});

/** Without digests, and with the roles' names as above. */
const plain = (lines: readonly string[]) =>
  lines.map((line) =>
    line
      .replaceAll(/:? [0-9a-f]{32}/g, "")
      .replaceAll(ROLES.role, "{role}")
      .replaceAll(ROLES.other, "{other}")
      .replace(/large object \d+/, "large object N"),
  );

const LEFT_OUT = [
  "cast (pg_catalog.text AS integer) (only a superuser may make it)",
  "comment on extension bloom (only a superuser may install it)",
  "comment on extension pageinspect (only a superuser may install it)",
  "comment on extension postgres_fdw (only a superuser may install it)",
  "default acl for role {other} on tables (only its role may set them)",
  "event trigger watch (only a superuser may make it)",
  "extension bloom (only a superuser may install it)",
  "extension pageinspect (only a superuser may install it)",
  "extension postgres_fdw (only a superuser may install it)",
  "foreign table payments.far (its server will not be there)",
  "function public.fast(integer) (only a superuser may make it in its language)",
  "index payments.merchant_bloom: CREATE INDEX merchant_bloom ON payments.merchant USING bloom (merchant_id) (extension bloom will not be there)",
  "large object N (payments_backup may not read it)",
  "publication everything (only a superuser may make it)",
  "rows of public.forced (row security hides them from payments_backup)",
  "rows of public.secret (row security hides them from payments_backup)",
  "server elsewhere (its foreign-data wrapper is not for everybody)",
  'setting of "{role}": TimeZone=Asia/Tokyo (only a superuser may set it for a role)',
  "setting of payments_reader: work_mem=8MB (only a superuser may set it for a role)",
  "setting of the database: app.tenant=a=b's (only a superuser may set it)",
  "setting of the database: log_min_duration_statement=1h (only a superuser may set it)",
  "table payments.pages (extension pageinspect will not be there)",
  "user mapping postgres on server elsewhere (its server will not be there)",
];

describe("a backup of a database with other people's things in it", () => {
  test("says what will not come back as it was, and why", () => {
    const { leftOut = [] } = folder.manifest(id);
    const owners = plain(leftOut).filter((line) => line.startsWith("owner of "));
    expect(plain(leftOut).filter((line) => !owners.includes(line))).toEqual(LEFT_OUT);
    expect(owners).toContain("owner of payments.total(): postgres (it will be payments_owner's)");
    expect(owners).toContain('owner of schema Odd Schema: "{role}" (it will be payments_owner\'s)');
    for (const line of leftOut) {
      expect(said).toContain(JSON.stringify(line));
    }
  });

  test("restores the rest where its roles are, names what lacks, and keeps the copy", async () => {
    const into = newName();
    const restored = await run("restore", "--into", into, "--json");
    expect(restored.stderr).toMatch(/^restoring [^\n]*\n$/);
    expect(restored.code).toBe(0);
    const { differences } = JSON.parse(restored.stdout) as { differences: Mismatch[] };
    const named = plain(differences.map(({ what }) => what));
    const foretold = LEFT_OUT.map((line) => line.replace(/ \([^(]*\)$/, "")).filter(
      (line) => !/^rows of/.test(line),
    );
    expect(named.filter((line) => !/^(owner of|right|column|comment on column) /.test(line)).sort()).toEqual(
      [
        ...foretold,
        // Cannot be restored by anybody, or its rows are in no backup.
        "materialized view payments.stale",
        "materialized view payments.stale without data",
        "table payments.pages",
        "table public.fussy",
        "table public.forced",
        "table public.secret",
      ].sort(),
    );
    expect(differences.filter(({ ours }) => ours)).toEqual([]);
    const hidden = differences.filter(({ expected }) =>
      /hidden from the backup: row security/.test(expected),
    );
    expect(hidden.map(({ what }) => what)).toEqual(["table public.forced", "table public.secret"]);
    expect(await column(into, "SELECT count(*) FROM public.forced")).toEqual([0]);

    expect(
      await column(
        into,
        `SELECT one FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) one
         WHERE datname = current_database() ORDER BY 1`,
      ),
    ).toEqual([
      "DateStyle=ISO, DMY",
      "TimeZone=Europe/Berlin",
      "default_transaction_isolation=serializable",
      "default_transaction_read_only=on",
      "lock_timeout=1ms",
      "quote_all_identifiers=on",
      'search_path="$user", "Odd Schema", payments',
      "statement_timeout=5ms",
    ]);
    expect(await column(into, 'SELECT mood FROM "Odd Schema"."My ""Table"""')).toEqual(["well"]);
    expect(
      await column(into, "SELECT count FROM payments.mine UNION ALL SELECT id FROM payments.dba"),
    ).toEqual([100, 1, 2]);
    expect(
      await column(
        into,
        `SELECT datconnlimit || ' ' || shobj_description(oid, 'pg_database') || ' '
           || has_database_privilege('${ROLES.role}', oid, 'CONNECT WITH GRANT OPTION')
         FROM pg_database WHERE datname = current_database()`,
      ),
    ).toEqual(["50 it's ours true"]);
  });

  test("verifies, all the more as a superuser on a server of its own", async () => {
    const verified = await run("verify");
    expect(verified.stdout).toMatch(/^verified: .*\nnot as it was: table payments\.pages: expected 1 rows/);
    expect(verified.code).toBe(0);
    expect(
      await column(
        database,
        "SELECT state FROM ops.restore_drill WHERE differences > 20 AND failure IS NULL",
      ),
    ).toEqual(["passed"]);
    const cluster = await run("verify", "--cluster", "--json");
    expect(cluster.code).toBe(0);
    const { named } = JSON.parse(cluster.stdout) as { named: Mismatch[] };
    const lacking = named.map(({ what }) => what);
    expect(lacking).toContain("event trigger watch");
    expect(lacking.filter((what) => /^(extension|setting|index|table payments)/.test(what))).toEqual([]);
  });

  test("restores where its roles, its locale and a library are not: every other right is given", async () => {
    folder.editManifest(id, (manifest) => {
      // Fewer connections than a restore takes.
      Object.assign(manifest, { ctype: "xx_XX.UTF-8", connectionLimit: 2 });
      manifest.settings.push("local_preload_libraries=not_here");
    });
    folder.renewSums(id);
    for (const name of made.splice(0)) {
      await dropDatabase(name);
    }
    await asSuperuser(database, (pool) =>
      pool.query(
        [ROLES.role, ROLES.other]
          .map((role) => `DROP OWNED BY "${role}" CASCADE; DROP ROLE "${role}"`)
          .join(";"),
      ),
    );
    const into = newName();
    const restored = await run("restore", "--into", into, "--json");
    expect(restored.stderr).toMatch(
      /^restoring [^\n]*\nthis server lacks roles that have rights in it: [^\n]*\n$/,
    );
    expect(restored.code).toBe(0);
    const { differences } = JSON.parse(restored.stdout) as { differences: Mismatch[] };
    const named = plain(differences.map(({ what }) => what));
    expect(named).toContain('right payments.merchant: "{role}" SELECT');
    expect(named).toContain('right database: "{role}" CONNECT');
    expect(await column(into, `SELECT datconnlimit FROM pg_database WHERE datname = '${into}'`)).toEqual([2]);
    // With a setting that lets nobody in there is none at all.
    expect(named).toContain("setting of the database: TimeZone=Europe/Berlin");
    expect(
      await column(into, "SELECT has_table_privilege('payments_reader', 'payments.merchant', 'SELECT')"),
    ).toEqual([true]);
  });

  test("that finds too few connections says so, and what to do", async () => {
    const limit = (count: number) =>
      asSuperuser(database, (pool) => pool.query(`ALTER DATABASE ${database} CONNECTION LIMIT ${count}`));
    await limit(2);
    const failed = await run("backup");
    await limit(50);
    expect(failed.stderr).toMatch(/(too many connections for|could not connect to) database/);
    expect(failed.stderr).toMatch(/raise .*limit of the (role or )?database/i);
    expect(failed.code).toBe(1);
    expect(folder.ids()).toEqual([id]);
  });

  test("is none without the platform's own rows", async () => {
    await asSuperuser(database, (pool) =>
      pool.query("ALTER TABLE payments.merchant ENABLE ROW LEVEL SECURITY"),
    );
    const failed = await run("backup");
    expect(failed.stderr).toMatch(/BACKUP_FAILED: row security hides rows of payments\.merchant .*BYPASSRLS/);
    expect(failed.code).toBe(1);
    expect(folder.ids()).toEqual([id]);
  });

  test("is not taken for restored when a table of the platform's own cannot be made but by a superuser", async () => {
    await asSuperuser(database, (pool) =>
      pool.query(
        `ALTER TABLE payments.merchant DISABLE ROW LEVEL SECURITY;
         ALTER TABLE payments.merchant ADD COLUMN page text DEFAULT fsm_page_contents(NULL)`,
      ),
    );
    expect((await run("backup")).code).toBe(0);
    const into = newName();
    const failed = await run("restore", "--into", into);
    expect(failed.stderr).toMatch(
      /RESTORE_FAILED: .*pg_restore ended with 1.*table payments\.merchant: .*superuser/,
    );
    expect(failed.code).toBe(1);
    const superuser = { POSTGRES_ADMIN_USER: "postgres", POSTGRES_ADMIN_PASSWORD: superuserPassword() };
    const settings = testSettings({ BACKUP_DIR: folder.path, POSTGRES_DB: database, ...superuser });
    expect(await backups(settings, "restore", "--into", into)).toMatchObject({ code: 0 });
  });
});
