import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { packageRoot } from "../lib/root.js";

/** What scripts/lib.sh says of the process of that number. */
function processStart(pid: string): { status: number | null; stdout: string; stderr: string } {
  const script = `set -euo pipefail; source scripts/lib.sh; process_start "$1"`;
  return spawnSync("bash", ["-c", script, "bash", pid], { cwd: packageRoot, encoding: "utf8" });
}

it("knows when a process began", () => {
  expect(processStart(`${process.pid}`)).toMatchObject({ status: 0, stderr: "" });
  expect(processStart(`${process.pid}`).stdout).toMatch(/^\d+\n$/);
});

it("takes a process that ends while it is looked at for ended, without a word", () => {
  const folder = mkdtempSync(join(tmpdir(), "payments-stat-"));
  try {
    writeFileSync(join(folder, "stat"), ""); // as /proc gives it then
    expect(processStart(`..${folder}`)).toMatchObject({ status: 1, stdout: "", stderr: "" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
