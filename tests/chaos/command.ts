import { once } from "node:events";
import { join } from "node:path";
import type { AllSettings } from "../../app/settings.js";
import { type Output, outputOf, start } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";

/** The command line of the rig's own build: a rebuild of dist/ in mid-run must not change what is tested. */
export const MAIN = join(import.meta.dirname, "..", "..", "app", "main.js");
const COMMAND_MS = 600_000;

/** Runs `payments …` with just these settings. */
export async function payments(
  settings: AllSettings,
  ...args: string[]
): Promise<Output & { code: number | null }> {
  const command = [process.execPath, MAIN, ...args];
  const child = start(command, { env: settings, cwd: packageRoot, stdio: ["ignore", "pipe", "pipe"] });
  const output = outputOf(child);
  const late = setTimeout(() => child.kill("SIGTERM"), COMMAND_MS);
  await once(child, "close");
  clearTimeout(late);
  return { code: child.exitCode, ...output };
}
