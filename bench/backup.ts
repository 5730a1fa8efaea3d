import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatTable } from "../lib/cli/table.js";
import { withPool } from "../lib/postgres/with_pool.js";
import { packageRoot } from "../lib/root.js";
import { run } from "./process.js";
import { spreadOf } from "./ratios.js";
import type { Report } from "./report.js";
import type { Stack } from "./stack.js";

const BACKUPS = join(packageRoot, "dist", "app", "backups.js");

type Figure = keyof (Awaited<ReturnType<typeof plain>> & Awaited<ReturnType<typeof ours>>);

const RATIOS: readonly [what: string, over: Figure, under: Figure][] = [
  ["backup, ms", "backupMs", "dumpMs"],
  ["size, bytes", "backupBytes", "bytes"],
  ["restore, ms", "backupRestoreMs", "restoreMs"],
  ["restore, compared, pg_amcheck, dropped, ms", "drillMs", "restoreMs"],
];

/** Backup and drill of the user's database as it is, against a plain dump and its restore, in turns. */
export async function benchBackup(stack: Stack, report: Report, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-backup-"));
  const figures: Record<Figure, number>[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const figure = { ...(await plain(stack, folder)), ...(await ours(stack, join(folder, "backups"))) };
      figures.push(figure);
      report.say(`round ${round}  ${JSON.stringify(figure)}`);
      await report.save({ rounds, figures });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const medianOf = (name: Figure) => spreadOf(figures.map((figure) => figure[name])).median;
  const rows = RATIOS.map(([what, over, under]) => {
    const [a, b] = [medianOf(over), medianOf(under)];
    return [what, Math.round(a), Math.round(b), (a / b).toFixed(2)];
  });
  report.print(formatTable([`median of ${rounds}`, "ours", "plain", "ratio"], rows));
}

async function plain(stack: Stack, folder: string) {
  const file = join(folder, "plain");
  const tool = (name: string, database: string, ...args: string[]) =>
    run([join(stack.pgBin, name), ...args], {
      env: { ...stack.ownerEnv(), PGDATABASE: database },
      signal: stack.signal,
    });
  const dumpMs = await timed(() =>
    tool("pg_dump", stack.own.POSTGRES_DB, "--format=custom", `--file=${file}`),
  );
  const restoreMs = await stack.withScratch((scratch) =>
    timed(async () => {
      const args = ["--exit-on-error", "--no-owner", "--role=payments_owner", `--dbname=${scratch}`, file];
      await tool("pg_restore", scratch, ...args);
      // As a restore of ours does.
      await withPool(stack.own, { role: "admin", database: scratch }, (pool) =>
        pool.query("SET default_statistics_target = 25; ANALYZE"),
      );
    }),
  );
  return { dumpMs, bytes: (await stat(file)).size, restoreMs };
}

async function ours(stack: Stack, folder: string) {
  const env = { ...stack.own, BACKUP_DIR: folder, LOG_LEVEL: "warn" };
  const backups = async (command: string) =>
    JSON.parse(await run([process.execPath, BACKUPS, command, "--json"], { env, signal: stack.signal }));
  const backupMs = await timed(() => backups("backup"));
  const drillMs = await timed(() => backups("verify"));
  const { restoreMs: backupRestoreMs } = (await backups("verify")) as { restoreMs: number };
  const backupBytes = await sizeOf(folder);
  await rm(folder, { recursive: true });
  return { backupMs, backupBytes, backupRestoreMs, drillMs };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return Math.round(performance.now() - started);
}

async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((file) => file.isFile())
    .map(async (file) => (await stat(join(file.parentPath, file.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
