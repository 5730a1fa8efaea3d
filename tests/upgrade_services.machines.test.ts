import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../lib/root.js";
import { createDatabase } from "./harness/database.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { Platform } from "./harness/platform.js";
import { payments, startPayments, startProgram } from "./harness/process.js";
import { asOwner } from "./harness/settled.js";

/** A commit with all services, whose processes, payments and windows are under way while this one's take over. */
const BEFORE = "a9ed304";
const LIVE = ["payments", "fraud", "wallet", "metrics", "monitor", "monitor-queue"];
const CUSTOMERS = "2000";

let folder: string;
let main: string;
let platform: Platform;
type Started = ReturnType<typeof startPayments>;
const running = new Set<Started>();

const known = (() => {
  try {
    execFileSync("git", ["cat-file", "-e", `${BEFORE}^{commit}`], { cwd: packageRoot, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
test.skipIf(known)(`NOT TESTED, for this clone has no commit ${BEFORE}: git fetch --unshallow`, ({ skip }) =>
  skip(),
);

beforeAll(async () => {
  if (!known) {
    return;
  }
  folder = mkdtempSync(join(tmpdir(), "before-"));
  const archive = `git archive ${BEFORE} app bench etl jobs lib services traffic db package.json tsconfig.json tsconfig.build.json | tar -x -C ${folder}`;
  execFileSync("bash", ["-o", "pipefail", "-c", archive], { cwd: packageRoot });
  symlinkSync(join(packageRoot, "node_modules"), join(folder, "node_modules"));
  const tsc = join(packageRoot, "node_modules", "typescript", "bin", "tsc");
  execFileSync("node", [tsc, "-p", join(folder, "tsconfig.build.json")]);
  main = join(folder, "dist", "app", "main.js");
  platform = await Platform.on(await createDatabase("empty"));
  for (const args of [["migrate", "up"], ["seed"], ["wallets", "seed"]]) {
    expect(await startProgram(main, platform.settings, ...args).ended).toMatchObject({ code: 0, stderr: "" });
  }
});
afterAll(async () => {
  for (const { child } of running) {
    child.kill("SIGKILL");
  }
  await Promise.all([...running].map(({ ended }) => ended));
  await platform?.close();
  rmSync(folder ?? "", { recursive: true, force: true });
});

type Settings = Readonly<Record<string, string>>;
/** `payments serve` of this release, or of the one before. @returns the process and its address, once it is ready */
async function serve(release: "before" | "ours", settings: Settings, modules: readonly string[]) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const all = { ...platform.settings, ...settings, HTTP_PORT: String(port) };
  const started =
    release === "ours"
      ? startPayments(all, "serve", ...modules)
      : startProgram(main, all, "serve", ...modules);
  running.add(started);
  await eventually(
    `${release}: ${modules}`,
    async () => {
      if (started.child.exitCode !== null) {
        throw new Error(started.output.stderr);
      }
      return (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200;
    },
    { withinMs: 60_000, everyMs: 100 },
  );
  return { started, url, port };
}

async function end({ started }: { readonly started: Started }): Promise<void> {
  started.child.kill("SIGTERM");
  expect((await started.ended).code).toBe(0);
  running.delete(started);
}

const count = (condition: string) =>
  asOwner(platform, async (owner) => {
    const { rows } = await owner.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM saga.payment WHERE ${condition}`,
    );
    return rows[0]?.n ?? 0;
  });

test.skipIf(!known)(
  "payments and windows that are under way go over to this release: nothing lost, nothing twice",
  async () => {
    const before = await serve("before", {}, LIVE);
    const named = { SERVICE_NAME: "payments-a" };
    const reporter = await serve("before", named, ["reporter"]);
    const window = await fetch(`${reporter.url}/report-windows`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ duration_s: 60, omission_rate: 0.2 }),
    });
    expect(window.status).toBe(201);
    const { window_uuid } = (await window.json()) as { window_uuid: string };
    const pay = (url: string, seed: string) => {
      const load = ["--rate", "20", "--seconds", "25", "--customers", CUSTOMERS, "--seed", seed];
      return payments(platform.settings, "traffic", "--url", url, ...load, "--json");
    };
    const atBefore = pay(before.url, "1");
    await eventually("payments come", async () => (await count("true")) > 20);

    // While the older processes work: the schema, then ours beside them, then none of theirs.
    expect(await payments(platform.settings, "migrate", "up")).toMatchObject({ code: 0, stderr: "" });
    const ours = await serve("ours", {}, LIVE);
    const atOurs = pay(ours.url, "2");
    const told = JSON.parse((await atBefore).stdout);
    await end(before);
    const taken = await serve("ours", named, ["reporter"]);
    await end(reporter);
    const more = JSON.parse((await atOurs).stdout);
    for (const result of [told, more]) {
      expect(result).toMatchObject({ sent: 500, created: 500, refused: 0, unknown: 0, failures: {} });
    }

    await eventually("all settled", async () => (await count("state = 'PENDING'")) === 0);
    const decided = async () => {
      const found = await fetch(`${ours.url}/api/monitor/windows/${window_uuid}`);
      return /CLOSED|ALERT/.test(((await found.json()) as { status?: string }).status ?? "");
    };
    await eventually("the window is decided", decided, { withinMs: 120_000, everyMs: 500 });
    for (const { traffic } of [told, more]) {
      const audit = await payments(platform.settings, "audit", "--quiesced", "--traffic", String(traffic));
      expect(audit, audit.stdout).toMatchObject({ code: 0 });
    }
    const compared = await payments(platform.settings, "monitor", "compare");
    expect(compared, compared.stdout).toMatchObject({ code: 0 });
    expect(await payments(platform.settings, "migrate", "verify")).toMatchObject({ code: 0 });
    await end(taken);
    await end(ours);
  },
);
