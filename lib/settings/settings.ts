import { existsSync, readFileSync } from "node:fs";
import { messageOf, PlatformError } from "../errors.js";
import { readDotenv } from "./dotenv.mjs";
import { resolvePath } from "./path.js";
import { isPath, isSecret, type SettingName, type Settings, settingNames, settingsSchema } from "./schema.js";

export type { Settings };

type Values = Readonly<Record<string, string | undefined>>;

/** Prefixes that are ours alone: an unknown name with one of them is a typing error, wherever it was set. */
const OWN_PREFIXES = ["STAGE_", "WORKER_", "BACKUP_"];
/** In `.env` all names are ours, but for what Docker Compose reads there. */
const FOREIGN_PREFIXES = ["COMPOSE_", "DOCKER_"];
/** And what only scripts/stack.sh takes from there. */
const STACK_NAMES = ["STACK_MEMORY_MB"];

/**
 * The settings of this process. Precedence: `flags` > environment > `.env` > default; a secret may come from the file
 * that `NAME_FILE` names. `.env` is the checkout's, from wherever we are called, unless PAYMENTS_ENV_FILE names another.
 * Paths come out absolute.
 *
 * @param sources `flags` by setting name; `env` and `envFile` are for tests, by default the process's own.
 * @throws PlatformError SETTINGS_INVALID naming every bad setting at once.
 */
export function loadSettings(sources: { flags?: Values; env?: Values; envFile?: string } = {}): Settings {
  const env = sources.env ?? process.env;
  const problems: string[] = [];
  const file = readEnvFile(sources.envFile, problems);
  // Each layer for itself: a NAME_FILE in the environment goes before a NAME in .env.
  const layers = [file, defined(env), defined(sources.flags ?? {})];
  for (const layer of layers) readSecretFiles(layer, problems);
  const values: Record<string, string> = Object.assign({}, ...layers);

  const known = new Set<string>(
    settingNames.flatMap((name) => (isSecret(name) ? [name, `${name}_FILE`] : [name])),
  );
  for (const name of Object.keys(file)) {
    if (!known.has(name) && !hasPrefix(name, FOREIGN_PREFIXES) && !STACK_NAMES.includes(name))
      problems.push(`${name}: unknown setting in .env`);
  }
  for (const name of Object.keys(env)) {
    if (!known.has(name) && hasPrefix(name, OWN_PREFIXES)) problems.push(`${name}: unknown setting`);
  }

  for (const name of settingNames.filter(isPath)) resolveIn(values, name, problems);
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

function readEnvFile(given: string | undefined, problems: string[]): Record<string, string> {
  const named = process.env["PAYMENTS_ENV_FILE"] || undefined;
  try {
    const path = given ?? resolvePath(named ?? ".env");
    // Only a file that the environment names has to be there.
    if (!existsSync(path) && (given !== undefined || named === undefined)) return {};
    const read = readDotenv(path);
    problems.push(...read.problems);
    return defined(read.values);
  } catch (error) {
    problems.push(`.env: ${messageOf(error)}`);
    return {};
  }
}

function readSecretFiles(values: Record<string, string>, problems: string[]): void {
  for (const name of settingNames.filter(isSecret)) {
    const path = values[`${name}_FILE`];
    if (path === undefined || values[name] !== undefined) continue;
    try {
      values[name] = readFileSync(resolvePath(path), "utf8").replace(/\r?\n$/, "");
    } catch (error) {
      problems.push(`${name}_FILE: ${messageOf(error)}`);
    }
  }
}

/** A default is no less relative than what somebody gave. */
function resolveIn(values: Record<string, string>, name: SettingName, problems: string[]): void {
  const value = String(values[name] ?? settingsSchema.shape[name].parse(undefined));
  if (value === "") return;
  try {
    values[name] = resolvePath(value);
  } catch (error) {
    problems.push(`${name}: ${messageOf(error)}`);
  }
}
