import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { messageOf, PlatformError } from "../errors.js";
import { isSecret, type Settings, settingNames, settingsSchema } from "./schema.js";

export type { Settings };

type Values = Readonly<Record<string, string | undefined>>;

/** Prefixes that are ours alone: an unknown name with one of them is a typing error, wherever it was set. */
const OWN_PREFIXES = ["STAGE_", "WORKER_", "BACKUP_"];
/** In `.env` all names are ours, but for what Docker Compose reads there. */
const FOREIGN_PREFIXES = ["COMPOSE_", "DOCKER_"];

/**
 * The settings of this process. Precedence: `flags` > environment > `.env` > default; a secret may come from the file
 * that `NAME_FILE` names.
 *
 * @param sources `flags` by setting name; `env` and `envFile` are for tests, by default the process's own.
 * @throws PlatformError SETTINGS_INVALID naming every bad setting at once.
 */
export function loadSettings(sources: { flags?: Values; env?: Values; envFile?: string } = {}): Settings {
  const env = sources.env ?? process.env;
  const problems: string[] = [];
  const file = readEnvFile(sources.envFile ?? ".env", problems);
  // Each layer for itself: a NAME_FILE in the environment goes before a NAME in .env.
  const layers = [file, defined(env), defined(sources.flags ?? {})];
  for (const layer of layers) readSecretFiles(layer, problems);
  const values: Record<string, string> = Object.assign({}, ...layers);

  const known = new Set<string>(
    settingNames.flatMap((name) => (isSecret(name) ? [name, `${name}_FILE`] : [name])),
  );
  for (const name of Object.keys(file)) {
    if (!known.has(name) && !hasPrefix(name, FOREIGN_PREFIXES))
      problems.push(`${name}: unknown setting in .env`);
  }
  for (const name of Object.keys(env)) {
    if (!known.has(name) && hasPrefix(name, OWN_PREFIXES)) problems.push(`${name}: unknown setting`);
  }

  const parsed = settingsSchema.safeParse(pick(values));
  for (const issue of parsed.error?.issues ?? []) problems.push(`${issue.path.join(".")}: ${issue.message}`);
  if (parsed.success && parsed.data.STAGE_FROM >= parsed.data.STAGE_TO) {
    problems.push(`STAGE_FROM: ${parsed.data.STAGE_FROM} is not before STAGE_TO ${parsed.data.STAGE_TO}`);
  }
  if (!parsed.success || problems.length > 0) {
    throw new PlatformError("SETTINGS_INVALID", problems.join("; "), { hint: "See .env.example." });
  }
  return parsed.data;
}

/** Blank means unset, as in a compose file's `${NAME:-}`. */
function defined(values: Values): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(values))
    if (value !== undefined && value.trim() !== "") out[name] = value;
  return out;
}

function pick(values: Record<string, string>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of settingNames) if (values[name] !== undefined) out[name] = values[name];
  return out;
}

function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

function readEnvFile(path: string, problems: string[]): Record<string, string> {
  if (!existsSync(path)) return {};
  try {
    return defined(parseEnv(readFileSync(path, "utf8")));
  } catch (error) {
    problems.push(`${path}: ${messageOf(error)}`);
    return {};
  }
}

function readSecretFiles(values: Record<string, string>, problems: string[]): void {
  for (const name of settingNames.filter(isSecret)) {
    const path = values[`${name}_FILE`];
    if (path === undefined || values[name] !== undefined) continue;
    try {
      values[name] = readFileSync(path, "utf8").replace(/\r?\n$/, "");
    } catch (error) {
      problems.push(`${name}_FILE: ${messageOf(error)}`);
    }
  }
}
