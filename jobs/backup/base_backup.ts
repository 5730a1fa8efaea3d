import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BackupSettings } from "../settings.js";
import { addressOf, withSession } from "./address.js";
import { listFiles, sizeOf } from "./files.js";
import type { BaseManifest } from "./manifest.js";
import { execute, postgresTool, serverMajor } from "./postgres_tool.js";
import { BASE_FILES } from "./store.js";

/**
 * Copies the whole cluster by pg_basebackup, with the write-ahead log that it needs to be consistent, and checks the copy by
 * pg_verifybackup. With the archived log it can be brought to any later moment.
 */
export async function copyCluster(
  settings: BackupSettings,
  id: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<BaseManifest> {
  const startedAt = new Date().toISOString();
  const address = addressOf(settings, "backup");
  const { major, server, serverVersionNum } = await withSession(address, async (pool) => ({
    major: await serverMajor(pool),
    ...((
      await pool.query<{ server: string; serverVersionNum: number }>(
        `SELECT current_setting('server_version') AS server,
                current_setting('server_version_num')::integer AS "serverVersionNum"`,
      )
    ).rows[0] as { server: string; serverVersionNum: number }),
  }));
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
    version: 1,
    id,
    database: address.database,
    startedAt,
    finishedAt: new Date().toISOString(),
    server,
    serverVersionNum,
    tool: (await execute(pgBasebackup, ["--version"])).trim(),
    bytes: await sizeOf(target, await listFiles(target)),
    startWal: /\(file ([0-9A-F]{24})\)/.exec(label)?.[1] ?? "",
  };
}
