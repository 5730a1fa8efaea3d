import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CoreError } from "../core_errors.js";

/** What a module's manifest says of its part of the database. */
export interface Migrated {
  readonly name: string;
  /** Folder of its migrations; one that is not there holds none. */
  readonly migrations: string;
  /** Roles of the cluster that must be there before it. */
  readonly roles: readonly string[];
}

export interface Migration {
  readonly module: string;
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly sha256: string;
  /** Of other modules; they come first. */
  readonly after: readonly MigrationId[];
  /** Code that does not know it cannot live with it. */
  readonly breaking: boolean;
  /** Runs outside a transaction. */
  readonly bare: boolean;
}

export type MigrationId = Pick<Migration, "module" | "version">;

/** A module's files in order; `V0001__name.sql`, numbered without gaps. @throws CoreError MODULE_INVALID */
export function readMigrations({ name: module, migrations: folder }: Migrated): Migration[] {
  if (!existsSync(folder)) {
    return [];
  }
  const files = readdirSync(folder).filter((file) => file.endsWith(".sql"));
  return files.sort().map((file, i) => {
    const [, digits = "", name = ""] = /^V(\d{4})__([a-z0-9_]+)\.sql$/.exec(file) ?? [];
    if (name === "") {
      throw invalid(`${join(folder, file)} is not named like V0001__what_it_does.sql`);
    }
    const version = Number(digits);
    if (version !== i + 1) {
      throw invalid(`migration ${i + 1} of ${module} is missing or stands twice`);
    }
    const sql = readFileSync(join(folder, file), "utf8");
    const sha256 = createHash("sha256").update(sql).digest("hex");
    return { module, version, name, sql, sha256, ...directives(sql, `${module}/${file}`) };
  });
}

/** What the comment at a file's top says of it, each on a line of its own. */
function directives(sql: string, file: string): Pick<Migration, "after" | "breaking" | "bare"> {
  const [top = ""] = /^(--.*\n?)*/.exec(sql) ?? [];
  const lines = top.split("\n").filter((line) => /^-- (no-transaction|breaking|after)\b/.test(line));
  const after = lines.flatMap((line) => {
    const [, module, version] = /^-- after ([a-z][\w-]*) (\d+)$/.exec(line) ?? [];
    if (module !== undefined) {
      return [{ module, version: Number(version) }];
    }
    // A slip here would change silently what is done.
    if (!/^-- (no-transaction|breaking)$/.test(line)) {
      throw invalid(`${file} cannot be read: ${line}`);
    }
    return [];
  });
  return { after, breaking: lines.includes("-- breaking"), bare: lines.includes("-- no-transaction") };
}

/**
 * The migrations of all modules, in an order that has each after those it names and after the one before it.
 *
 * @throws CoreError MODULE_INVALID for a file that is not named right, names what is not there, or waits in a circle.
 */
export function inOrder(modules: readonly Migrated[]): Migration[] {
  const waiting = modules.flatMap(readMigrations);
  const known = new Set(waiting.map(idOf));
  for (const migration of waiting) {
    const unknown = migration.after.find((id) => !known.has(idOf(id)));
    if (unknown) {
      throw invalid(`${label(migration)} is to come after ${idOf(unknown)}, which is not there`);
    }
  }
  const ordered = new Map<string, Migration>();
  const ready = ({ module, version, after }: Migration) =>
    (version === 1 || ordered.has(idOf({ module, version: version - 1 }))) &&
    after.every((id) => ordered.has(idOf(id)));
  while (waiting.length > 0) {
    const next = waiting.find(ready);
    if (next === undefined) {
      throw invalid(`migrations wait for each other: ${waiting.map(idOf).join(", ")}`);
    }
    waiting.splice(waiting.indexOf(next), 1);
    ordered.set(idOf(next), next);
  }
  return [...ordered.values()];
}

/** As `-- after` names it. */
export function idOf({ module, version }: MigrationId): string {
  return `${module} ${version}`;
}

export function label({ module, version, name }: MigrationId & { readonly name: string }): string {
  return `${module} V${String(version).padStart(4, "0")} (${name})`;
}

function invalid(problem: string): CoreError {
  return new CoreError("MODULE_INVALID", `${problem}.`, {
    hint: "See CONTRIBUTING.md on how a migration is added.",
  });
}
