import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../lib/errors.js";
import { one } from "../../lib/postgres/one.js";
import { type Pool, transaction } from "../../lib/postgres/pool.js";
import { loadSql } from "../../lib/postgres/sql.js";
import { BackupError } from "../errors.js";
import type { BackupSettings } from "../settings.js";
import { addressOf, withSessions } from "./address.js";
import { isOther } from "./compare.js";
import { type Content, HIDDEN, readContent } from "./content.js";
import { encryptFiles, encryptionOf, requireTool } from "./encryption.js";
import { listFiles, sizeOf } from "./files.js";
import type { DumpManifest, Made } from "./manifest.js";
import { execute, postgresTool, serverMajor } from "./postgres_tool.js";

/** Within a backup's folder: what pg_dump wrote, and the roles that its rights name. */
export const DUMP = "dump";
export const GLOBALS = "globals.sql";

const GLOBALS_ONLY = ["--globals-only", "--no-role-passwords", "--database"];

export interface DumpOptions {
  readonly format: DumpManifest["format"];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Dumps the database of `settings` into a folder, and says what is in the dump: the rows are counted and digested in the very
 * snapshot that pg_dump reads, at the same time.
 */
export async function dumpDatabase(
  settings: BackupSettings,
  folder: string,
  options: DumpOptions,
): Promise<Made<DumpManifest>> {
  const address = addressOf(settings, "backup");
  const encryption = encryptionOf(settings);
  if (encryption !== null) {
    await requireTool(encryption);
  }
  const jobs = settings.BACKUP_JOBS;
  return withSessions(address, jobs + 1, async (pool) => {
    const major = await serverMajor(pool);
    const pgDump = await postgresTool("pg_dump", major);
    const pgDumpall = await postgresTool("pg_dumpall", major);
    const tool = (await execute(pgDump, ["--version"])).trim();
    const stop = new AbortController();
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const { rows } = await pool.query<Unreadable>(loadSql("backup_hidden"));
    const unreadable = one(rows);
    const { properties, ...content } = await withSnapshot(pool, async (snapshot) => {
      const args = dumpArgs(options.format, jobs, snapshot, join(folder, DUMP), unreadable);
      const parts = [
        execute(pgDump, args, { address, signal }),
        execute(pgDumpall, [...GLOBALS_ONLY, address.database], { address, signal }).then((sql) =>
          writeFile(join(folder, GLOBALS), sql, { mode: 0o600 }),
        ),
        readContent(pool, jobs, {
          snapshot,
          largeObjects: unreadable.large_objects,
          definitions: "pretty",
        }).then(requireOurRows),
      ] as const;
      // The first failure ends the others, and all are awaited: nobody may still be writing when the folder is removed.
      for (const part of parts) {
        part.catch(() => stop.abort());
      }
      const ends = await Promise.allSettled(parts);
      const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as Error] : []));
      if (failures.length > 0) {
        throw failures.find((error) => codeOf(error) !== "INTERRUPTED") ?? failures[0];
      }
      return parts[2];
    });
    const files = await listFiles(folder);
    if (encryption !== null) {
      await encryptFiles(folder, files, encryption, options.signal);
    }
    return {
      kind: "dump",
      tool,
      bytes: await sizeOf(folder, await listFiles(folder)),
      format: options.format,
      encryption,
      ...properties,
      ...content,
    };
  });
}

/** What pg_dump would give up on, and with it on all the rest. */
interface Unreadable {
  readonly hidden: readonly string[];
  readonly large_objects: boolean;
}

/** Somebody's table may be left out and named; a backup without our own rows is none. */
function requireOurRows<C extends Content>(content: C): C {
  const hidden = content.tables.find((each) => each.digest === HIDDEN && !isOther(content, each.table));
  if (hidden === undefined) {
    return content;
  }
  throw new BackupError("BACKUP_FAILED", `row security hides rows of ${hidden.table} from the backup.`, {
    hint: "As a superuser: ALTER ROLE payments_backup BYPASSRLS.",
  });
}

function dumpArgs(
  format: DumpManifest["format"],
  jobs: number,
  snapshot: string,
  file: string,
  { hidden, large_objects: largeObjects }: Unreadable,
): string[] {
  return [
    ...hidden.map((table) => `--exclude-table-data=${table}`),
    // Short, because the long one has another name from 16 on.
    ...(largeObjects ? [] : ["-B"]),
    ...(format === "directory" ? ["--format=directory", `--jobs=${jobs}`] : ["--format=custom"]),
    `--snapshot=${snapshot}`,
    `--file=${file}`,
    // What a heartbeat said is not true any more when it is restored.
    "--exclude-table-data=etl.worker",
    // gzip at 4 takes 53 % of the CPU time of its default, 6, for 7 % more bytes (300,000 rows).
    "--compress=4",
    // Whoever holds a table for longer is in the middle of a change of the schema.
    "--lock-wait-timeout=60s",
    "--no-password",
  ];
}

/** Exports a snapshot from a transaction that holds publishing back, and keeps it until `work` has ended. */
async function withSnapshot<T>(pool: Pool, work: (snapshot: string) => Promise<T>): Promise<T> {
  return transaction(pool, async (client) => {
    // In this order: what was committed before the lock was granted must be in the snapshot.
    await client.query("SELECT etl.hold_publishing()");
    const { rows } = await client.query<{ snapshot: string }>("SELECT pg_export_snapshot() AS snapshot");
    return work(one(rows).snapshot);
  });
}
