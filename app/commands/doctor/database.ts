import { requireSeed } from "../../../etl/seed/state.js";
import { CoreError } from "../../../lib/core_errors.js";
import { catalogueChanges } from "../../../lib/postgres/catalogue.js";
import { verifySchema } from "../../../lib/postgres/history.js";
import { one } from "../../../lib/postgres/one.js";
import { addressOf, type Pool } from "../../../lib/postgres/pool.js";
import { loadSql } from "../../../lib/postgres/sql.js";
import type { Settings } from "../../../lib/settings/base.js";
import { MODULES } from "../../modules.js";
import { type Check, withConnection } from "./check.js";
import { postgresDisk } from "./disk.js";
import { hosts } from "./hosts.js";

const LEAST_POSTGRES = 150_000;
/** More would not fit a line. */
const RIGHTS_NAMED = 5;
const CHANGES_NAMED = 3;

export function databaseChecks(settings: Settings): Check[] {
  const ask = <T>(work: (pool: Pool) => Promise<T>) => withConnection(settings, "loader", work);
  return [
    ["postgres", () => ask((pool) => version(pool, settings))],
    ["writable", () => ask(writable)],
    ["role", () => ask((pool) => role(pool, settings))],
    ["rights", () => ask((pool) => rights(pool, settings))],
    ["disk", () => ask((pool) => postgresDisk(pool, settings))],
    ["schema", () => ask(schema)],
    ["seed", () => ask(requireSeed).then(() => "dimensions are there")],
  ];
}

async function version(pool: Pool, settings: Settings): Promise<string> {
  const { rows } = await pool.query<{ version: string; number: number }>(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number",
  );
  const { version, number } = one(rows);
  if (number < LEAST_POSTGRES) {
    throw new Error(`${version}: at least 15 is needed`);
  }
  return `${version}${await hosts(settings)}`;
}

async function writable(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ standby: boolean; read_only: boolean; source: string }>(
    `SELECT pg_is_in_recovery() AS standby, setting = 'on' AS read_only, source
     FROM pg_settings WHERE name = 'default_transaction_read_only'`,
  );
  const { standby, read_only, source } = one(rows);
  if (standby) {
    throw new CoreError("POSTGRES_READ_ONLY", "this server is a standby, or still recovering.", {
      hint: "Name the primary in POSTGRES_HOST, or promote it: pg_promote().",
    });
  }
  if (read_only) {
    throw new CoreError("POSTGRES_READ_ONLY", `default_transaction_read_only is on, set by: ${source}.`, {
      hint: "Take it back there: ALTER DATABASE, ALTER ROLE or ALTER SYSTEM … RESET default_transaction_read_only.",
    });
  }
  return "takes changes";
}

/** The others' passwords are tried where they are given: a command that needs them comes later. */
async function role(pool: Pool, settings: Settings): Promise<string> {
  const { rows } = await pool.query("SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper");
  if (rows.length > 0) {
    throw new Error(`${settings.POSTGRES_USER} is a superuser: use payments_loader`);
  }
  const let_in = [settings.POSTGRES_USER];
  for (const other of ["admin", "backup"] as const) {
    const { user, password } = addressOf(settings, other);
    if (password !== "") {
      await withConnection(settings, other, async () => let_in.push(user));
    }
  }
  return `${let_in.join(", ")} let in; ${settings.POSTGRES_USER} is no superuser`;
}

async function rights(pool: Pool, settings: Settings): Promise<string> {
  const roles = [settings.POSTGRES_USER, settings.POSTGRES_ADMIN_USER, settings.POSTGRES_BACKUP_USER];
  const { rows } = await pool.query<{ missing: string }>(loadSql("missing_rights"), roles);
  if (rows.length === 0) {
    return `${roles.join(", ")} have all they need`;
  }
  const named = rows.slice(0, RIGHTS_NAMED).map((row) => row.missing);
  const others = rows.length > RIGHTS_NAMED ? ` and ${rows.length - RIGHTS_NAMED} more` : "";
  throw new CoreError("POSTGRES_AUTH", `rights are missing: ${named.join("; ")}${others}.`, {
    hint: "Grant them again; db/schema.sql has them as they should be.",
  });
}

async function schema(pool: Pool): Promise<string> {
  await verifySchema(pool, MODULES);
  const { differences, additions } = await catalogueChanges(pool);
  if (differences.length > 0) {
    const named = differences.slice(0, CHANGES_NAMED).join("; ");
    const others =
      differences.length > CHANGES_NAMED ? `; and ${differences.length - CHANGES_NAMED} more` : "";
    throw new CoreError("SCHEMA_DRIFT", `${named}${others}.`, {
      hint: "Undo it, or loads may fail; all of it: payments migrate verify.",
    });
  }
  return additions.length === 0 ? "as expected" : `as expected, and ${additions.length} harmless addition(s)`;
}
