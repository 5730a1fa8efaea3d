import { mkdirSync, writeFileSync } from "node:fs";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { backup } from "../jobs/backup/backup.js";
import { loop } from "../jobs/backup/loop.js";
import { silentLogger } from "../lib/observability/log.js";
import { BackupFolder } from "./harness/backup_folder.js";
import { createDatabase, dropDatabase, withPool } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { testSettings } from "./harness/settings.js";

let database: string;
let folder: BackupFolder;
let said: string[];
beforeAll(async () => {
  database = await createDatabase("migrated");
});
afterAll(() => dropDatabase(database));
beforeEach(() => {
  folder = new BackupFolder();
  said = [];
});
afterEach(() => folder.remove());

const logger = pino({ level: "info" }, { write: (line) => void said.push(JSON.parse(line).msg) });
const count = (text: string) => said.filter((line) => line.includes(text)).length;
const settings = (more: Record<string, string>) =>
  testSettings({
    POSTGRES_DB: database,
    BACKUP_DIR: folder.path,
    BACKUP_BASE_INTERVAL_S: "0",
    JOBS_AUDIT_INTERVAL_S: "0",
    ...more,
  });

/** Runs the loop until `seen`. */
async function looping(more: Record<string, string>, what: string, seen: () => boolean): Promise<void> {
  const stop = new AbortController();
  const running = loop(settings(more), logger, stop.signal);
  try {
    await eventually(what, seen, { withinMs: 30_000 });
  } finally {
    stop.abort();
    await running;
  }
}

test("on read-only media it proves the newest dump once, though it cannot mark it, and goes on trying to back up", async () => {
  await backup(settings({}), silentLogger, "dump", { format: "directory" });
  await folder.readOnly(() =>
    looping(
      { BACKUP_INTERVAL_S: "1" },
      "three dumps refused after a drill",
      () =>
        said.slice(said.indexOf("restore drill done")).filter((line) => /^dump failed/.test(line)).length >=
        3,
    ),
  );
  expect(count("restore drill done")).toBe(1);
  expect(count("no mark was written")).toBe(1);
});

test("a retention that fails is said, and does not have the dump made again", async () => {
  // A base backup, and below it log that is none and cannot be removed.
  const id = "base-20260101T000000000Z";
  mkdirSync(folder.file(id, "base"), { recursive: true });
  const at = "2026-01-01T00:00:00.000Z";
  const manifest = { kind: "base", version: 1, id, database: "x", startedAt: at, finishedAt: at, bytes: 0 };
  const server = { server: "15.1", serverVersionNum: 150_001, tool: "x", startWal: `${"0".repeat(22)}99` };
  writeFileSync(folder.file(id, "manifest.json"), JSON.stringify({ ...manifest, ...server }));
  mkdirSync(folder.file("wal", `${"0".repeat(22)}11.gz`), { recursive: true });
  await looping({ BACKUP_DRILL_INTERVAL_S: "0" }, "a dump done", () => count("dump done") > 0);
  expect(count("retention failed")).toBe(1);
  expect(count("dump failed")).toBe(0);
});

test("the services' books are audited on time, and what was found is kept", async () => {
  const result = () =>
    withPool({ role: "exporter", database }, async (pool) => {
      const { rows } = await pool.query(
        "SELECT differences, finished_at > now() - interval '1 minute' AS fresh FROM ops.audit_result",
      );
      return rows;
    });
  const audits = { BACKUP_DRILL_INTERVAL_S: "0", JOBS_AUDIT_INTERVAL_S: "1" };
  await looping(audits, "two audits", () => count("audit done") >= 2);
  expect(await result()).toEqual([{ differences: 0, fresh: true }]);
  expect(count("books disagree")).toBe(0);
  await withPool({ role: "admin", database }, async (pool) => {
    await pool.query("SET ROLE payments_owner");
    await pool.query(
      "INSERT INTO wallet.outbox VALUES (gen_random_uuid(), 'x', '{}', '', now() - interval '1 day')",
    );
  });
  said = [];
  await looping(audits, "an audit", () => count("audit done") > 0);
  expect(await result()).toEqual([{ differences: 1, fresh: true }]);
  expect(count("books disagree")).toBe(1);
});
