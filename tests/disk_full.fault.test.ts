import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ETL_QUEUES } from "../etl/queues.js";
import { depth } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { Platform } from "./harness/platform.js";
import { WorkerProcess } from "./harness/process.js";
import { asSuperuser } from "./harness/servers.js";

/** A file system of its own that can be filled, as only root can make one. */
const MAY_MOUNT = process.getuid?.() === 0;

let platform: Platform;
let mount: string;
beforeEach(async () => {
  platform = await Platform.create();
  mount = mkdtempSync(join(tmpdir(), "payments-disk-"));
});
afterEach(async () => {
  const name = platform.settings.POSTGRES_DB;
  await platform.close();
  await asSuperuser(`DROP TABLESPACE IF EXISTS small_${name}`).catch(() => undefined);
  execFileSync("umount", [mount]);
  rmdirSync(mount);
});

test.runIf(MAY_MOUNT)(
  "a full disk stops the run with a clear error; it goes on when there is room again",
  async () => {
    const name = platform.settings.POSTGRES_DB;
    // Half a block more than 3 MB: of the block at its end PostgreSQL says that it wrote half of it, of later ones that no space is left.
    execFileSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      "size=3076k,mode=0700,uid=postgres,gid=postgres",
      "tmpfs",
      mount,
    ]);
    await asSuperuser(`CREATE TABLESPACE small_${name} LOCATION '${mount}'`);
    await asSuperuser(`GRANT CREATE ON TABLESPACE small_${name} TO payments_loader, payments_owner`);
    await asSuperuser(`ALTER DATABASE ${name} SET default_tablespace = small_${name}`);

    const worker = await WorkerProcess.start(platform.settings);
    const run = await platform.kickoff({ rows: 40_000, chunkRows: 20_000 });
    await eventually("a clear error", () => worker.log.includes('"code":"53100"'), { withinMs: 60_000 });
    expect(worker.log).toMatch(/the disk of PostgreSQL at [^ ]+ is full \(.*; 53100\)\. Make room there/);
    expect(await depth(platform.settings, ETL_QUEUES.deadLetter)).toBe(0);
    expect(await platform.value("SELECT state FROM etl.run")).toBe("running");

    execFileSync("mount", ["-o", "remount,size=200m", mount]);
    await platform.done(run.runId);
    expect(await worker.stop()).toBe(0);
    expect((await platform.verify()).differences).toEqual([]);
    expect(await depth(platform.settings, ETL_QUEUES.deadLetter)).toBe(0);
  },
);
