import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AllSettings } from "../../app/settings.js";
import { freePort, serverOwner } from "../../jobs/backup/server.js";
import { withPool } from "../../lib/postgres/with_pool.js";
import { outputOf, start } from "../../lib/process/run.js";
import { eventually } from "./eventually.js";

/** Debian's package, which scripts/test.sh installs. */
const PGBOUNCER = "/usr/sbin/pgbouncer";

/**
 * Runs `work` with a PgBouncer in front of the settings' PostgreSQL, set up as docs/pgbouncer.md says.
 *
 * @param more lines for its configuration.
 */
export async function behindPgBouncer<T>(
  settings: AllSettings,
  work: (settings: AllSettings) => Promise<T>,
  more: readonly string[] = [],
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "pgbouncer-"));
  const port = await freePort();
  const { POSTGRES_HOST, POSTGRES_PORT } = settings;
  const users = [
    [settings.POSTGRES_USER, settings.POSTGRES_PASSWORD],
    [settings.POSTGRES_ADMIN_USER, settings.POSTGRES_ADMIN_PASSWORD],
    [settings.POSTGRES_BACKUP_USER, settings.POSTGRES_BACKUP_PASSWORD],
    [settings.POSTGRES_APP_USER, settings.POSTGRES_APP_PASSWORD],
  ];
  const [config, list] = [join(folder, "pgbouncer.ini"), join(folder, "userlist.txt")];
  writeFileSync(list, users.map(([name, password]) => `"${name}" "${password}"\n`).join(""), { mode: 0o600 });
  writeFileSync(
    config,
    [
      "[databases]",
      `* = host=${POSTGRES_HOST} port=${POSTGRES_PORT}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = scram-sha-256",
      `auth_file = ${list}`,
      "pool_mode = session",
      ...more,
    ].join("\n"),
  );
  // It refuses to run as root, like PostgreSQL.
  const owner = await serverOwner();
  if (owner) {
    for (const path of [folder, config, list]) {
      chownSync(path, owner.uid, owner.gid);
    }
  }
  const child = start([PGBOUNCER, "--quiet", config], { env: { LC_ALL: "C" }, owner });
  const output = outputOf(child);
  const ended = once(child, "exit");
  try {
    const behind = { ...settings, POSTGRES_PORT: port };
    await eventually("PgBouncer", () => {
      if (child.exitCode !== null) {
        throw new Error(`PgBouncer ended with ${child.exitCode}: ${output.stderr}`);
      }
      return answers(behind);
    });
    return await work(behind);
  } finally {
    // At once, whoever is connected.
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
  }
}

function answers(settings: AllSettings): Promise<boolean> {
  return withPool(settings, {}, async () => true).catch(() => false);
}
