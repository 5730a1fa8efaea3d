import { randomBytes } from "node:crypto";
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, LOOPBACK, withSession } from "./address.js";
import { MAINTENANCE } from "./database.js";
import { withoutGrantors } from "./globals.js";
import type { OpenDump } from "./open_dump.js";
import { execute, postgresTool } from "./postgres_tool.js";
import { freePort, serverOwner, withServer } from "./server.js";

/**
 * A server of a drill's own, made from nothing, with the roles of the backup: what a restore on a new machine finds. On loopback,
 * with a password that nobody else has; gone afterwards. It lies in the folder of TMPDIR, which must hold the whole database.
 */
export async function withScratchCluster<T>(
  { manifest, globals }: OpenDump,
  signal: AbortSignal | undefined,
  work: (address: Address) => Promise<T>,
): Promise<T> {
  const major = Math.floor(manifest.serverVersionNum / 10_000);
  const [initdb, postgres, psql] = await Promise.all(
    ["initdb", "postgres", "psql"].map((name) => postgresTool(name, major)),
  );
  const owner = await serverOwner();
  const folder = await mkdtemp(join(tmpdir(), "payments-drill-"));
  try {
    const [data, password, secret] = [
      join(folder, "data"),
      join(folder, "password"),
      randomBytes(24).toString("hex"),
    ];
    await writeFile(password, secret, { mode: 0o600 });
    await mkdir(data, { mode: 0o700 });
    if (owner) {
      for (const path of [folder, data, password]) {
        await chown(path, owner.uid, owner.gid);
      }
    }
    await chmod(folder, 0o700);
    // A name that the backup's globals do not make.
    const superuser = `scratch_${randomBytes(8).toString("hex")}`;
    const made = ["--username", superuser, "--pwfile", password, "--auth=scram-sha-256", "--encoding=UTF8"];
    await execute(
      initdb ?? "",
      ["-D", data, ...made, "--locale=C.UTF-8", "--lc-collate=C", "--no-sync", "--data-checksums"],
      { owner, signal },
    );
    const address = {
      ...LOOPBACK,
      port: await freePort(),
      user: superuser,
      password: secret,
      database: MAINTENANCE,
    };
    const server = {
      postgres: postgres ?? "",
      data,
      log: join(folder, "log"),
      owner,
      signal,
      ready: () => withSession(address, (pool) => pool.query("SELECT")),
      settings: {
        listen_addresses: LOOPBACK.host,
        port: String(address.port),
        unix_socket_directories: "",
        // It is thrown away: what a crash would cost is a second drill.
        fsync: "off",
        max_wal_size: "4GB",
        maintenance_work_mem: "128MB",
        // As db/postgresql.conf: a lock for each leaf and each index.
        max_locks_per_transaction: "256",
      },
    };
    return await withServer(server, async () => {
      // On to the end, whatever this machine lacks: a tablespace's folder, a parameter's extension.
      await execute(psql ?? "", ["-Xq"], {
        address,
        input: withoutGrantors(await readFile(globals, "utf8")),
        signal,
      });
      return work(address);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
