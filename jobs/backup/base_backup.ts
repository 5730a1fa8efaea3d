import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { one } from "../../lib/postgres/one.js";
import type { BackupSettings } from "../settings.js";
import { addressOf, withSession } from "./address.js";
import { listFiles, sizeOf } from "./files.js";
import type { BaseManifest, Made } from "./manifest.js";
import { execute, majorOf, postgresTool } from "./postgres_tool.js";
import { BASE_FILES } from "./store.js";

/**
 * Copies the whole cluster by pg_basebackup, with the write-ahead log that it needs to be consistent, and checks the copy by
 * pg_verifybackup. With the archived log it can be brought to any later moment.
 */
export async function copyCluster(
  settings: BackupSettings,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Made<BaseManifest>> {
  const address = addressOf(settings, "backup");
  const server = await withSession(address, async (pool) => {
    const { rows } = await pool.query<{ server: string; serverVersionNum: number }>(
      `SELECT current_setting('server_version') AS server,
              current_setting('server_version_num')::integer AS "serverVersionNum"`,
    );
    return one(rows);
  });
  const major = majorOf(server);
  const pgBasebackup = await postgresTool("pg_basebackup", major);
  const target = join(folder, BASE_FILES);
  const args = [
    `--pgdata=${target}`,
    "--format=plain",
    "--wal-method=stream",
    // At once, not spread over half of checkpoint_timeout.
    "--checkpoint=fast",
    "--manifest-checksums=SHA256",
    "--no-password",
  ];
  await execute(pgBasebackup, args, { address, signal });
  await execute(await postgresTool("pg_verifybackup", major), [target], { signal });
  const label = await readFile(join(target, "backup_label"), "utf8");
  return {
    kind: "base",
    ...server,
    tool: (await execute(pgBasebackup, ["--version"])).trim(),
    bytes: await sizeOf(target, await listFiles(target)),
    startWal: /\(file ([0-9A-F]{24})\)/.exec(label)?.[1] ?? "",
  };
}
