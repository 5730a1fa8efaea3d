import pg from "pg";
import { codeOf } from "../../lib/errors.js";
import type { Queryable } from "../../lib/postgres/pool.js";
import type { DumpManifest } from "./manifest.js";

/** PostgreSQL keeps these as a list of quoted names in one text (GUC_LIST_QUOTE; the same list is in pg_dump). */
const NAME_LISTS: ReadonlySet<string> = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
]);

/** `SET` of an entry of pg_db_role_setting, whatever its name and value. @param setting `name=value` */
export function setClause(setting: string): string {
  const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(setting) ?? [];
  const values = NAME_LISTS.has(name.toLowerCase()) ? namesOf(value) : [value];
  return `SET ${pg.escapeIdentifier(name)} TO ${values.map(pg.escapeLiteral).join(", ")}`;
}

/** `"$user", public` → `$user`, `public`. */
function namesOf(list: string): string[] {
  const names = [...list.matchAll(/"((?:[^"]|"")*)"|[^",\s]+/g)].map(
    ([bare, quoted]) => quoted?.replaceAll('""', '"') ?? bare,
  );
  return names.length === 0 ? [""] : names;
}

/**
 * Runs a statement whose refusal costs no data; whether it took is seen when the databases are compared.
 *
 * @throws whatever is not a refusal: a lost connection, a full disk.
 */
export async function attempt(on: Queryable, sql: string): Promise<boolean> {
  return on.query(sql).then(
    () => true,
    (error: unknown) => {
      // Bad value, state or name, no privilege, no such role.
      if (/^(0A|0L|0P|22|2F|42|55)...$/.test(codeOf(error) ?? "")) {
        return false;
      }
      throw error;
    },
  );
}

/** Gives a database what belongs to it as a whole and is in no dump: rights, comment. */
export async function setProperties(maintenance: Queryable, database: string, manifest: DumpManifest) {
  const { grants, comment = null } = manifest;
  for (const { role, privilege, grantable } of grants) {
    if (!/^[A-Z]+$/.test(privilege)) {
      throw new Error(`not a privilege: ${privilege}`);
    }
    const to = role === "public" ? "PUBLIC" : pg.escapeIdentifier(role);
    const option = grantable ? " WITH GRANT OPTION" : "";
    await attempt(maintenance, `GRANT ${privilege} ON DATABASE ${database} TO ${to}${option}`);
  }
  if (comment !== null) {
    await attempt(maintenance, `COMMENT ON DATABASE ${database} IS ${pg.escapeLiteral(comment)}`);
  }
}

/** Gives a database its settings. Last of all: default_transaction_read_only, a timeout, would hinder what comes before. */
export async function applySettings(on: Queryable, database: string, manifest: DumpManifest) {
  for (const setting of manifest.settings) {
    await attempt(on, `ALTER DATABASE ${database} ${setClause(setting)}`);
  }
  for (const { role, settings } of manifest.roleSettings ?? []) {
    for (const setting of settings) {
      await attempt(
        on,
        `ALTER ROLE ${pg.escapeIdentifier(role)} IN DATABASE ${database} ${setClause(setting)}`,
      );
    }
  }
}
