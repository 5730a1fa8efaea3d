import { type AllSettings, loadAllSettings } from "../../app/settings.js";

/** The test stack's settings, from the environment that scripts/test.sh exports, with what a test replaces. */
export function testSettings(flags: Partial<Record<keyof AllSettings, string>> = {}): AllSettings {
  if (!process.env["POSTGRES_PASSWORD"]) {
    throw new Error("no test stack in the environment; run: scripts/test.sh int");
  }
  return loadAllSettings({ flags, envFile: "/nonexistent/.env" });
}
