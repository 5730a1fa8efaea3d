import type { Command } from "commander";
import { CoreError } from "../core_errors.js";
import { codeOf, EXIT, messageOf, PlatformError } from "../errors.js";
import { createLogger, type Logger } from "../observability/log.js";
import { requireSchema } from "../postgres/history.js";
import type { Migrated } from "../postgres/migrations.js";
import { addressOf, type Pool, type PoolOptions } from "../postgres/pool.js";
import { explain } from "../postgres/refusal.js";
import { withPool } from "../postgres/with_pool.js";
import { say } from "../process/stderr.js";
import { outputProblem, print, printJson } from "../process/stdout.js";
import { verdictOf } from "../retry.js";
import type { Settings } from "../settings/base.js";

export { print, printJson };

/** What every command gets. Data goes to stdout, all else to stderr. */
export interface CommandContext<S extends Settings = Settings> {
  readonly settings: S;
  readonly logger: Logger;
  readonly json: boolean;
  /** What the command needs the schema of. */
  readonly modules: readonly Migrated[];
  /** For commands that end in order: once called, Ctrl-C and SIGTERM fire it, and only a second one ends the process. */
  readonly interruption: () => AbortSignal;
}

/** An action's exit status; nothing means 0. */
export type Action<S extends Settings, Args extends unknown[]> = (
  context: CommandContext<S>,
  ...args: Args
) => Promise<number | undefined>;

/** Makes of an action what commander calls; the action gets the command's own arguments, then its options. */
export type ActionWrapper<S extends Settings = Settings> = <Args extends unknown[]>(
  action: Action<S, Args>,
) => (...args: [...Args, Command]) => Promise<void>;

/** How a module adds a command: it gets the wrapper that gives its actions their settings. */
export type CommandFactory<S extends Settings = Settings> = (action: ActionWrapper<S>) => Command;

/**
 * A wrapper that loads the settings, runs the action, prints a typed error as one line and sets the exit status.
 *
 * @param load of the settings; called with the command's arguments when it runs, so that `--help` needs none.
 * @param secrets names of settings whose values no log line shows.
 */
export function actionWrapper<S extends Settings>(
  load: (args: readonly unknown[]) => S,
  secrets: readonly string[],
  modules: readonly Migrated[],
): ActionWrapper<S> {
  return <Args extends unknown[]>(action: Action<S, Args>) =>
    async (...args: [...Args, Command]) => {
      const own = args.slice(0, -1) as Args;
      const command = args.at(-1) as Command;
      const json = command.optsWithGlobals<{ json?: boolean }>().json === true;
      let settings: S | undefined;
      try {
        settings = load(own);
        const logger = createLogger({ level: settings.LOG_LEVEL, format: settings.LOG_FORMAT, secrets });
        process.exitCode =
          (await action({ settings, logger, json, modules, interruption }, ...own)) ?? EXIT.ok;
      } catch (error) {
        // The output's end says it, or nothing: `payments dlq list | head` is no error.
        process.exitCode = codeOf(error) === "OUTPUT_LOST" ? EXIT.ok : reportError(error, { json, settings });
      }
      const problem = await outputProblem();
      if (problem !== undefined) {
        process.exitCode = Math.max(Number(process.exitCode), reportError(problem, { json }));
      }
    };
}

/** Prints a command's result: the value with --json, else what `text` makes of it for a person. */
export function printResult({ json }: CommandContext, value: unknown, text: () => string): void {
  if (json) {
    printJson(value);
  } else {
    print(text());
  }
}

/** Runs `work` with a pool on a database whose schema is the one that the command expects. */
export async function withDatabase<T>(
  { settings, modules }: CommandContext,
  work: (pool: Pool) => Promise<T>,
  options: PoolOptions = {},
): Promise<T> {
  return withPool(settings, { applicationName: "payments-cli", max: 4, ...options }, async (pool) => {
    await requireSchema(pool, modules);
    return work(pool);
  });
}

/** One line on stderr: `payments: CODE: what happened. What to do.` @returns the exit status. */
export function reportError(
  error: unknown,
  { json = false, settings }: { json?: boolean; settings?: Settings | undefined } = {},
): number {
  const known = error instanceof PlatformError ? error : explained(error, settings);
  const { code, message, hint } = known;
  say(json ? JSON.stringify({ error: { code, message, hint } }) : `payments: ${known}`);
  return known.exitCode;
}

function explained(cause: unknown, settings: Settings | undefined): PlatformError {
  const code = verdictOf(cause) === "outage" ? "POSTGRES_UNREACHABLE" : "INTERNAL";
  return (
    (settings && explain(cause, addressOf(settings))) ?? new CoreError(code, messageOf(cause), { cause })
  );
}

let interrupted: AbortController | undefined;

function interruption(): AbortSignal {
  if (interrupted === undefined) {
    const controller = new AbortController();
    const onSignal = () => (controller.signal.aborted ? process.exit(EXIT.interrupted) : controller.abort());
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    interrupted = controller;
  }
  return interrupted.signal;
}
