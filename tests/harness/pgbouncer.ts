import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AllSettings } from "../../app/settings.js";
import { freePort, serverOwner } from "../../jobs/backup/server.js";
import { connect, createPool } from "../../lib/postgres/pool.js";
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
  const drop = owner ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups"] : [];
  if (owner) for (const path of [folder, config, list]) chownSync(path, owner.uid, owner.gid);
  const child = spawn("setpriv", [...drop, "--pdeathsig=TERM", "--", PGBOUNCER, "--quiet", config], {
    cwd: "/",
    env: { LC_ALL: "C" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (data) => (log += String(data)));
  const ended = once(child, "exit");
  try {
    const behind = { ...settings, POSTGRES_PORT: port };
    await eventually("PgBouncer", () => {
      if (child.exitCode !== null) throw new Error(`PgBouncer ended with ${child.exitCode}: ${log}`);
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

async function answers(settings: AllSettings): Promise<boolean> {
  const pool = createPool(settings, { max: 1 });
  try {
    (await connect(pool)).release();
    return true;
  } catch {
    return false;
  } finally {
    await pool.end();
  }
}
