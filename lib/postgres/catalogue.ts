import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../root.js";
import { type Client, type Pool, transaction } from "./pool.js";
import { loadSql } from "./sql.js";

/** Something that a schema of ours is made of, see db/queries/catalogue.sql. */
export interface CatalogueObject {
  readonly kind: string;
  /** The table, view or function it belongs to, or nothing. */
  readonly part_of: string;
  readonly name: string;
  readonly definition: string;
}

/** What migrations do not make. */
export interface CatalogueChanges {
  /** Runs, heal or verify may fail by it, or data be other than promised. */
  readonly differences: readonly string[];
  /** Beside ours, and in nobody's way: an index, a view, a table, a right. */
  readonly additions: readonly string[];
}

/** Added to a table of ours, these change what may be written there, or what is. */
const INTRUSIVE = ["column", "constraint", "unique index", "trigger", "rule", "partition"];
/** Their definitions end in a hash, which tells a person nothing. */
const HASHED = ["function", "view"];

/** Made by scripts/schema_dump.sh --catalogue, compared by a test. */
function madeByMigrations(): CatalogueObject[] {
  return readFileSync(join(packageRoot, "db", "catalogue.txt"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("--"))
    .map((line) => {
      const [kind = "", part_of = "", name = "", definition = ""] = line.split("\t");
      return { kind, part_of, name, definition };
    });
}

/** Compares the database with what migrations make. Reads only; to be asked of a database that has all of them. */
export async function catalogueChanges(pool: Pool): Promise<CatalogueChanges> {
  return transaction(pool, changesSeenBy);
}

/** The same, as a transaction sees it. */
export async function changesSeenBy(client: Client): Promise<CatalogueChanges> {
  // Names are given in full then.
  await client.query("SET LOCAL search_path = pg_catalog");
  const { rows } = await client.query<CatalogueObject>(loadSql("catalogue"));
  return compareCatalogues(madeByMigrations(), rows);
}

/** @param expected what migrations make. */
export function compareCatalogues(
  expected: readonly CatalogueObject[],
  found: readonly CatalogueObject[],
): CatalogueChanges {
  const ours = new Set(expected.filter(({ part_of }) => part_of === "").map(({ name }) => name));
  const left = new Map(expected.map((object) => [keyOf(object), object]));
  const differences: string[] = [];
  const additions: string[] = [];
  for (const object of found) {
    const { kind, part_of, name, definition } = object;
    const known = left.get(keyOf(object));
    left.delete(keyOf(object));
    if (known !== undefined) {
      if (known.definition !== definition) {
        differences.push(changed(known, definition));
      }
    } else if (part_of === "" || ours.has(part_of)) {
      const note = definition === "" || HASHED.includes(kind) ? "" : ` (${definition})`;
      (INTRUSIVE.includes(kind) ? differences : additions).push(`${kind} ${name} was added${note}`);
    }
    // Else it came with a table or function that was added.
  }
  const missing = [...left.values()];
  const gone = new Set(missing.filter(({ part_of }) => part_of === "").map(({ name }) => name));
  for (const { kind, part_of, name } of missing) {
    // What a table took with it goes without saying.
    if (!gone.has(part_of)) {
      differences.push(`${kind} ${name} is missing`);
    }
  }
  return { differences, additions };
}

function keyOf({ kind, name }: CatalogueObject): string {
  return `${kind} ${name}`;
}

function changed({ kind, name, definition }: CatalogueObject, found: string): string {
  return HASHED.includes(kind)
    ? `${kind} ${name} is not as the migrations made it`
    : `${kind} ${name}: expected ${definition || "nothing special"}, found ${found || "nothing special"}`;
}
