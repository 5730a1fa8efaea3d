import { type ChildProcess, execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../jobs/backup/server.js";
import { codeOf } from "../lib/errors.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { startShell } from "./harness/process.js";
import { asSuperuser } from "./harness/servers.js";

/** A file system of its own that can be filled, as only root can make one. */
const MAY_MOUNT = process.getuid?.() === 0;

let platform: Platform;
let disk: string;
const started: ChildProcess[] = [];
beforeEach(async () => {
  platform = await Platform.create({ LOG_LEVEL: "info" });
  disk = mkdtempSync(join(tmpdir(), "payments-disk-"));
});
afterEach(async () => {
  const name = platform.settings.POSTGRES_DB;
  for (const child of started) {
    child.kill("SIGKILL");
  }
  await platform.close();
  await asSuperuser(`DROP TABLESPACE IF EXISTS small_${name}`).catch(() => undefined);
  execFileSync("umount", [disk]);
  rmdirSync(disk);
});

test.runIf(MAY_MOUNT)(
  "a full disk that holds data, backups and logs ends nobody; with room again all goes on to the end",
  async () => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", disk]);
    const name = platform.settings.POSTGRES_DB;
    mkdirSync(join(disk, "data"));
    execFileSync("chown", ["postgres", join(disk, "data")]);
    await asSuperuser(`CREATE TABLESPACE small_${name} LOCATION '${join(disk, "data")}'`);
    await asSuperuser(`GRANT CREATE ON TABLESPACE small_${name} TO payments_loader, payments_owner`);
    await asSuperuser(`ALTER DATABASE ${name} SET default_tablespace = small_${name}`);

    const port = await freePort();
    const settings = { ...platform.settings, BACKUP_DIR: disk, WORKER_METRICS_PORT: port };
    const log = (who: string) => readFileSync(join(disk, who), { encoding: "utf8", flag: "a+" });
    const start = (who: string, program: "payments" | "backups", args: string) => {
      const command = startShell(settings, program, `exec "$@" ${args} >>${join(disk, who)} 2>&1`);
      started.push(command.child);
      return command;
    };
    const worker = start("worker", "payments", "worker");
    await eventually("worker ready", () => log("worker").includes("worker ready"));
    const loop = start("loop", "backups", "loop");
    const kickoff = start("kickoff", "payments", "kickoff --rows 40000 --chunk-rows 20000 --wait");
    await eventually("progress", () => log("kickoff").includes("running"));
    fill(join(disk, "filler"));

    const metric = (of: RegExp) => async () => {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return Number(of.exec(text)?.[1] ?? 0) > 0;
    };
    const within = { withinMs: 60_000 };
    await eventually(
      "no room for data",
      metric(/^payments_outage_waits_total.*"SQLSTATE_53".* (\d+)$/m),
      within,
    );
    await eventually("no room for the log", metric(/^payments_log_lines_lost_total (\d+)$/m), within);
    expect([worker, loop, kickoff].map(({ child }) => child.exitCode)).toEqual([null, null, null]);
    expect(await platform.value("SELECT state FROM etl.run")).toBe("running");

    rmSync(join(disk, "filler"));
    execFileSync("mount", ["-o", "remount,size=200m", disk]);
    expect((await kickoff.ended).code).toBe(0);
    expect(await platform.value("SELECT state FROM etl.run")).toBe("done");
    expect(log("worker")).toMatch(/"message":"\d+ log lines lost: ENOSPC"/);
    for (const { child } of [worker, loop]) {
      child.kill("SIGTERM");
    }
    for (const { ended } of [worker, loop]) {
      expect((await ended).code).toBe(0);
    }
    expect(log("loop")).toContain("backup loop stopped");
    expect((await platform.verify()).differences).toEqual([]);
  },
);

/** To the last byte. */
function fill(file: string): void {
  for (let bytes = 65_536; bytes >= 1; ) {
    try {
      appendFileSync(file, Buffer.alloc(bytes));
    } catch (error) {
      if (codeOf(error) !== "ENOSPC") {
        throw error;
      }
      bytes >>= 1;
    }
  }
}
