import { execFile } from "node:child_process";
import { join } from "node:path";
import type { AllSettings } from "../../app/settings.js";
import { packageRoot } from "../../lib/root.js";

/** The command line of the rig's own build: a rebuild of dist/ in mid-run must not change what is tested. */
export const MAIN = join(import.meta.dirname, "..", "..", "app", "main.js");
const COMMAND_MS = 600_000;

/** Runs `payments …` with just these settings. */
export function payments(
  settings: AllSettings,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const own = Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
  const options = {
    cwd: packageRoot,
    env: { PATH: process.env["PATH"], ...own },
    timeout: COMMAND_MS,
    maxBuffer: 64 * 1_024 * 1_024,
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
