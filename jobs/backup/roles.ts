import type { Pool } from "../../lib/postgres/pool.js";
import type { DumpManifest } from "./manifest.js";

/** What a manifest says of rights; `others` are those of things that are not the platform's. */
type Granting = Pick<DumpManifest, "grants" | "objects" | "others">;

/** Roles that a dump gives rights to, and the owner of all that is restored. */
export function rolesOf({ grants, objects, others = [] }: Granting): string[] {
  const named = [...objects, ...others].map((line) => /^right .*: (".+"|\S+)(?: [A-Z_]+)?$/.exec(line)?.[1]);
  const roles = ["payments_owner", ...grants.map(({ role }) => role), ...named]
    .filter((role) => role !== undefined)
    // A name that needs quotes stands in quotes.
    .map((role) => role.replace(/^"(.*)"$/s, "$1").replaceAll('""', '"'));
  return [...new Set(roles)].filter((role) => role !== "everybody" && role !== "public").sort();
}

/** Those of them that a server does not know. */
export async function absentRoles(maintenance: Pool, manifest: Granting): Promise<string[]> {
  const { rows } = await maintenance.query<{ role: string }>(
    `SELECT role FROM unnest($1::text[]) AS named (role)
     WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) ORDER BY role`,
    [rolesOf(manifest)],
  );
  return rows.map(({ role }) => role);
}

/**
 * The roles of a backup as any new server takes them: each membership granted by whoever runs the statements. pg_dumpall writes
 * who granted it, and from 16 on PostgreSQL refuses a grantor without ADMIN OPTION; the old server's first superuser, who needed
 * none there, is a role like others on a server whose first superuser has another name.
 */
export function withoutGrantors(globals: string): string {
  return globals.replace(/^(GRANT .*) GRANTED BY (?:"(?:[^"\n]|"")+"|[a-z_][a-z0-9_]*);$/gm, "$1;");
}
