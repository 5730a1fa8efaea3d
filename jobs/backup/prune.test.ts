import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { silentLogger } from "../../lib/observability/log.js";
import { baseSettings } from "../../lib/settings/base.js";
import { loadSettings } from "../../lib/settings/settings.js";
import { backupSettings } from "../settings.js";
import { prune } from "./prune.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "retain-"));
  mkdirSync(join(folder, "wal"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A base backup of one file, for a cluster whose log was at segment `wal` then. */
function base(day: number, wal: number, more: object = {}): string {
  const id = `base-202601${String(day).padStart(2, "0")}T000000000Z`;
  mkdirSync(join(folder, id, "base"), { recursive: true });
  writeFileSync(join(folder, id, "base", "PG_VERSION"), "15\n");
  const at = "2026-01-01T00:00:00.000Z";
  const server = { server: "15.1", serverVersionNum: 150_001, tool: "pg_basebackup" };
  const manifest = {
    kind: "base",
    version: 1,
    id,
    database: "x",
    startedAt: at,
    finishedAt: at,
    ...server,
    bytes: 3,
  };
  writeFileSync(
    join(folder, id, "manifest.json"),
    JSON.stringify({ ...manifest, startWal: segment(wal), ...more }),
  );
  return id;
}

const segment = (wal: number) => `00000001${String(wal).padStart(16, "0")}`;
const bases = () => readdirSync(folder).filter((name) => name.startsWith("base"));

function run(): Promise<string[]> {
  const flags = { BACKUP_DIR: folder, BACKUP_WAL_DIR: join(folder, "wal"), BACKUP_KEEP_BASE: "2" };
  const passwords = { POSTGRES_PASSWORD: "x", RABBITMQ_PASSWORD: "x" };
  return prune(
    loadSettings([baseSettings, backupSettings], { env: passwords, envFile: "/dev/null", flags }),
    silentLogger,
  );
}

it("keeps as many base backups as it is told, and the log from the oldest of them", async () => {
  const ids = [base(1, 10), base(2, 20), base(3, 30)];
  for (const wal of [9, 10, 19, 20, 30]) {
    writeFileSync(join(folder, "wal", `${segment(wal)}.gz`), "");
  }
  expect(await run()).toEqual([ids[0]]);
  expect(readdirSync(join(folder, "wal"))).toEqual([20, 30].map((wal) => `${segment(wal)}.gz`));
});

it("neither counts nor removes what is not whole: its copying may be under way", async () => {
  const whole = [base(1, 10), base(2, 20)];
  const short = base(3, 5);
  writeFileSync(join(folder, short, "base", "PG_VERSION"), "1");
  const bare = base(4, 40);
  rmSync(join(folder, bare, "base"), { recursive: true });
  // Of a version to come, or somebody else's.
  const unread = base(5, 50, { version: 2 });
  mkdirSync(join(folder, "dump-20250101T000000000Z"));
  expect(await run()).toEqual([]);
  expect(bases()).toEqual([...whole, short, bare, unread]);
  expect(readdirSync(folder)).toContain("dump-20250101T000000000Z");
});

it("does not let one whose time is still to come push out the fresh ones, and lets it go in its turn", async () => {
  const [old, fresh] = [base(1, 10), base(2, 20)];
  const ahead = base(3, 15);
  const moved = ahead.replace("2026", "9999");
  const text = readFileSync(join(folder, ahead, "manifest.json"), "utf8").replace(ahead, moved);
  writeFileSync(join(folder, ahead, "manifest.json"), text);
  renameSync(join(folder, ahead), join(folder, moved));
  expect(await run()).toEqual([]);
  expect(bases()).toEqual([old, fresh, moved]);

  const newer = [base(4, 40, { madeAfter: [moved] }), base(5, 50, { madeAfter: [moved] })];
  expect(await run()).toEqual(expect.arrayContaining([old, fresh, moved]));
  expect(bases()).toEqual(newer);
});
