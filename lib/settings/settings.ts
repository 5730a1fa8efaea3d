import { existsSync, readFileSync } from "node:fs";
import { CoreError } from "../core_errors.js";
import { messageOf } from "../errors.js";
import { pathNames, type SettingsDeclaration, secretNames, settingNames } from "./define.js";
import { readDotenv } from "./dotenv.mjs";
import { resolvePath } from "./path.js";

type Values = Readonly<Record<string, string | undefined>>;

/** In `.env` all names are ours, but for what Docker Compose reads there. */
const FOREIGN_PREFIXES = ["COMPOSE_", "DOCKER_"];
/** What scripts/stack.sh alone reads, there and in the environment only. */
const STACK_NAMES = ["STACK_MEMORY_MB"];
const ENVIRONMENT_NAMES = ["STACK_DIR", "STACK_PORTS", "STACK_POSTGRES_BIN"];

export interface SettingsSources {
  /** Declared by modules that do not run here: their names are known, their values nobody looks at. */
  readonly others?: readonly SettingsDeclaration[];
  readonly flags?: Values;
  /** By default the process's own. */
  readonly env?: Values;
  /** By default the checkout's `.env`, from wherever we are called, unless PAYMENTS_ENV_FILE names another. */
  readonly envFile?: string;
}

/** A value of all that the declarations declare together. */
type SettingsOf<Declarations extends readonly SettingsDeclaration[]> = Declarations extends readonly [
  SettingsDeclaration<infer First>,
  ...infer Rest extends readonly SettingsDeclaration[],
]
  ? First & SettingsOf<Rest>
  : unknown;

/**
 * The settings of this process. Precedence: `flags` > environment > `.env` > default; a secret may come from the file
 * that `NAME_FILE` names. Paths come out absolute.
 *
 * @throws CoreError SETTINGS_INVALID naming every bad setting at once.
 */
export function loadSettings<const Declarations extends readonly SettingsDeclaration[]>(
  declarations: Declarations,
  sources: SettingsSources = {},
): SettingsOf<Declarations> {
  const all = [...declarations, ...(sources.others ?? [])];
  const env = sources.env ?? process.env;
  const problems: string[] = [];
  const file = readEnvFile(sources.envFile, problems);
  // Each layer for itself: a NAME_FILE in the environment goes before a NAME in .env.
  const layers = [file, defined(env), defined(sources.flags ?? {})];
  for (const layer of layers) {
    readSecretFiles(layer, secretNames(declarations), problems);
  }
  const values: Record<string, string> = Object.assign({}, ...layers);

  const known = new Set([...settingNames(all), ...secretNames(all).map((name) => `${name}_FILE`)]);
  const prefixes = all.flatMap((declaration) => declaration.prefixes);
  for (const name of Object.keys(file)) {
    if (!known.has(name) && !hasPrefix(name, FOREIGN_PREFIXES) && !STACK_NAMES.includes(name)) {
      const own = ENVIRONMENT_NAMES.includes(name);
      problems.push(`${name}: ${own ? "belongs in the environment, not" : "unknown setting"} in .env`);
    }
  }
  for (const name of Object.keys(env)) {
    if (!known.has(name) && hasPrefix(name, prefixes)) {
      problems.push(`${name}: unknown setting`);
    }
  }

  const settings = {};
  for (const declaration of declarations) {
    const { schema } = declaration;
    for (const name of pathNames([declaration])) {
      // A default is no less relative than what somebody gave.
      const path = values[name] ?? String(schema.shape[name]?.parse(undefined) ?? "");
      attempt(name, problems, () => {
        values[name] = path === "" ? "" : resolvePath(path);
      });
    }
    const { error, data } = schema.safeParse(values);
    problems.push(...(error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`));
    Object.assign(settings, data);
  }
  if (problems.length > 0) {
    throw new CoreError("SETTINGS_INVALID", `${problems.join("; ").replace(/\.$/, "")}.`, {
      hint: "See .env.example.",
    });
  }
  return settings as SettingsOf<Declarations>;
}

/** Those of `names` that the environment or `.env` sets. */
export function namesThatAreSet(names: readonly string[]): string[] {
  const values = { ...readEnvFile(undefined, []), ...defined(process.env) };
  return names.filter((name) => values[name] !== undefined);
}

/** Blank means unset, as in a compose file's `${NAME:-}`. */
function defined(values: Values): Record<string, string> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value.trim() !== "");
  return Object.fromEntries(given) as Record<string, string>;
}

function hasPrefix(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

function readEnvFile(given: string | undefined, problems: string[]): Record<string, string> {
  const named = process.env["PAYMENTS_ENV_FILE"] || undefined;
  const read = attempt(named === undefined ? ".env" : "PAYMENTS_ENV_FILE", problems, () => {
    const path = given ?? resolvePath(named ?? ".env");
    // Only a file that the environment names has to be there.
    const optional = given !== undefined || named === undefined;
    return optional && !existsSync(path) ? undefined : readDotenv(path);
  });
  problems.push(...(read?.problems ?? []));
  return defined(read?.values ?? {});
}

function readSecretFiles(values: Record<string, string>, names: readonly string[], problems: string[]): void {
  for (const name of names) {
    const path = values[`${name}_FILE`];
    if (path !== undefined && values[name] === undefined) {
      attempt(`${name}_FILE`, problems, () => {
        values[name] = readFileSync(resolvePath(path), "utf8").replace(/\r?\n$/, "");
      });
    }
  }
}

/** What goes wrong is a problem of the setting `name`. */
function attempt<T>(name: string, problems: string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    problems.push(`${name}: ${messageOf(error)}`);
    return undefined;
  }
}
