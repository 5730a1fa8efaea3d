import { readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../../lib/errors.js";
import { placesOf } from "../../../lib/places.js";
import { addressOf, type Pool, transaction } from "../../../lib/postgres/pool.js";
import type { Settings } from "../../../lib/settings/base.js";
import { withConnection } from "./check.js";

/** A million rows take about 0.4 GB with indexes and WAL. */
const LEAST_FREE_GB = 5;
/** Rows of 1,900 bytes, four to a page: below the size from which PostgreSQL compresses. */
const TRIAL_ROWS = 16_384;
const READ_ONLY = "25006";
const TRIAL_MB = (TRIAL_ROWS / 4) * 8_192 * 1e-6;

/**
 * Whether PostgreSQL's disk has room. Of its size a role without power sees nothing, so some of it is taken and given back; a
 * full disk is error 53100. Where the server's own folder can be seen from here, its free space is asked too.
 */
export async function postgresDisk(pool: Pool, settings: Settings): Promise<string> {
  const tried = await takeSome(pool);
  const folder = await dataFolder(settings).catch(() => undefined);
  if (folder === undefined) {
    return !tried
      ? "not tried, as nothing can be written: see writable"
      : `room for ${TRIAL_MB.toFixed(0)} MB more; how much there is in all cannot be seen from here`;
  }
  const free = await Promise.all([folder, join(folder, "pg_wal")].map(freeGb));
  const least = Math.min(...free);
  if (least < LEAST_FREE_GB) {
    throw new Error(`${least} GB free in ${folder}: at least ${LEAST_FREE_GB} GB are needed`);
  }
  return `${least} GB free in ${folder}`;
}

/**
 * Into a temporary table where new tables go; no log is written for it, and the rollback gives its file back.
 *
 * @returns false where the server takes no changes, which is another check's finding.
 */
async function takeSome(pool: Pool): Promise<boolean> {
  const done = new Error("taken back");
  return transaction(pool, async (client) => {
    await client.query(
      `SELECT set_config('temp_tablespaces', quote_ident(spcname), true) FROM pg_tablespace
       WHERE spcname = current_setting('default_tablespace') AND has_tablespace_privilege(spcname, 'CREATE')`,
    );
    await client.query("CREATE TEMPORARY TABLE doctor_disk (filler text) ON COMMIT DROP");
    await client.query("INSERT INTO doctor_disk SELECT repeat('x', 1900) FROM generate_series(1, $1)", [
      TRIAL_ROWS,
    ]);
    throw done;
  }).catch((error: unknown) => {
    if (error !== done && codeOf(error) !== READ_ONLY) {
      throw error;
    }
    return error === done;
  });
}

/** PostgreSQL's data directory, if we may see it and it is that of the server we talk to. */
async function dataFolder(settings: Settings): Promise<string | undefined> {
  if (settings.POSTGRES_ADMIN_PASSWORD === "") {
    return undefined;
  }
  const folder = await withConnection(settings, "admin", async (pool) => {
    const { rows } = await pool.query<{ data_directory: string }>("SHOW data_directory");
    return rows[0]?.data_directory ?? "";
  });
  // Another machine, or a container, may have a folder of that name too: this file names the port, in its fourth line.
  const port = (await readFile(join(folder, "postmaster.pid"), "utf8")).split("\n")[3];
  return placesOf(addressOf(settings)).some((place) => String(place.port) === port) ? folder : undefined;
}

async function freeGb(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor((bavail * bsize) / 1e9);
}
