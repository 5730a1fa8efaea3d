import { randomBytes } from "node:crypto";
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, LOOPBACK } from "./address.js";
import { MAINTENANCE } from "./database.js";
import type { OpenDump } from "./open_dump.js";
import { execute, majorOf, postgresTool } from "./postgres_tool.js";
import { withoutGrantors } from "./roles.js";
import { freePort, listensOn, serverOwner, withServer } from "./server.js";

/**
 * A server of a drill's own, made from nothing, with the roles of the backup: what a restore on a new machine finds. On loopback,
 * with a password that nobody else has; gone afterwards. It lies in the folder of TMPDIR, which must hold the whole database.
 */
export async function withScratchCluster<T>(
  { manifest, globals }: OpenDump,
  signal: AbortSignal | undefined,
  work: (address: Address) => Promise<T>,
): Promise<T> {
  const major = majorOf(manifest);
  const initdb = await postgresTool("initdb", major);
  const postgres = await postgresTool("postgres", major);
  const psql = await postgresTool("psql", major);
  const owner = await serverOwner();
  // Only its owner may enter it.
  const folder = await mkdtemp(join(tmpdir(), "payments-drill-"));
  try {
    const data = join(folder, "data");
    const passwordFile = join(folder, "password");
    const password = randomBytes(24).toString("hex");
    await writeFile(passwordFile, password, { mode: 0o600 });
    await mkdir(data, { mode: 0o700 });
    if (owner) {
      for (const path of [folder, data, passwordFile]) {
        await chown(path, owner.uid, owner.gid);
      }
    }
    // A name that the backup's globals do not make.
    const user = `scratch_${randomBytes(8).toString("hex")}`;
    const login = [`--username=${user}`, `--pwfile=${passwordFile}`, "--auth=scram-sha-256"];
    const kind = ["--encoding=UTF8", "--locale=C.UTF-8", "--lc-collate=C", "--no-sync", "--data-checksums"];
    await execute(initdb, ["-D", data, ...login, ...kind], { owner, signal });
    const address = { ...LOOPBACK, port: await freePort(), user, password, database: MAINTENANCE };
    const { ready, settings } = listensOn(address);
    const disposable = {
      // It is thrown away: what a crash would cost is a second drill.
      fsync: "off",
      max_wal_size: "4GB",
      maintenance_work_mem: "128MB",
      // As db/postgresql.conf: a lock for each leaf and each index.
      max_locks_per_transaction: "256",
    };
    const log = join(folder, "log");
    const server = { postgres, data, log, owner, signal, ready, settings: { ...settings, ...disposable } };
    return await withServer(server, async () => {
      const input = withoutGrantors(await readFile(globals, "utf8"));
      // On to the end, whatever this machine lacks: a tablespace's folder, a parameter's extension.
      await execute(psql, ["-Xq"], { address, input, signal });
      return work(address);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
