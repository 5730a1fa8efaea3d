import type { Pool } from "../../lib/postgres/pool.js";
import type { DumpManifest } from "./manifest.js";

/** Who owns all that is restored. */
const OWNER = "payments_owner";

/** What a manifest says of rights; `others` are those of things that are not the platform's. */
type Granting = Pick<DumpManifest, "grants" | "objects"> & {
  readonly others?: readonly string[] | undefined;
};

/** Roles that a dump gives rights to. */
export function rolesOf(manifest: Granting): string[] {
  const objects = [...manifest.objects, ...(manifest.others ?? [])];
  const named = objects.map((object) => /^right .*: (".+"|\S+)(?: [A-Z_]+)?$/.exec(object)?.[1]);
  const roles = [OWNER, ...manifest.grants.map(({ role }) => role), ...named]
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
