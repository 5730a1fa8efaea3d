import type { Command } from "commander";
import { codeOf, EXIT, messageOf, PlatformError } from "../errors.js";
import { createLogger, type Logger } from "../observability/log.js";
import { createPool, type Pool, type PoolOptions, targetOf } from "../postgres/pool.js";
import { explain } from "../postgres/refusal.js";
import { requireSchema } from "../postgres/schema_guard.js";
import { say } from "../process/stderr.js";
import { outputProblem, print, printJson } from "../process/stdout.js";
import { verdictOf } from "../retry.js";
import { loadSettings, type Settings } from "../settings/settings.js";

export { print, printJson };

/** What every command gets. Data goes to stdout, all else to stderr. */
export interface CommandContext {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly json: boolean;
  /** For commands that end in order: once called, Ctrl-C and SIGTERM fire it, and only a second one ends the process. */
  readonly interruption: () => AbortSignal;
}

/** An action's exit status; nothing means 0. */
type Action<Args extends unknown[]> = (context: CommandContext, ...args: Args) => Promise<number | undefined>;

/**
 * Wraps a command: loads the settings, runs it, prints a typed error as one line and sets the exit status.
 *
 * @param action gets the command's own arguments, then its options, as commander passes them.
 */
export function command<Args extends unknown[]>(
  action: Action<Args>,
): (...args: [...Args, Command]) => Promise<void> {
  return async (...args) => {
    const own = args.slice(0, -1) as Args;
    const json = (args.at(-1) as Command).optsWithGlobals<{ json?: boolean }>().json === true;
    let settings: Settings | undefined;
    try {
      settings = loadSettings();
      const logger = createLogger(settings.LOG_LEVEL, settings.LOG_FORMAT);
      process.exitCode = (await action({ settings, logger, json, interruption }, ...own)) ?? EXIT.ok;
    } catch (error) {
      // The output's end says it, or nothing: `payments dlq list | head` is no error.
      process.exitCode = codeOf(error) === "OUTPUT_LOST" ? EXIT.ok : reportError(error, json, settings);
    }
    const problem = await outputProblem();
    if (problem !== undefined)
      process.exitCode = Math.max(Number(process.exitCode), reportError(problem, json));
  };
}

/** Runs `work` with a pool on a database whose schema is the one this code expects. */
export async function withDatabase<T>(
  settings: Settings,
  work: (pool: Pool) => Promise<T>,
  options: PoolOptions = {},
): Promise<T> {
  const pool = createPool(settings, { applicationName: "payments-cli", ...options });
  try {
    await requireSchema(pool);
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** One line on stderr: `payments: CODE: what happened. What to do.` @returns the exit status. */
export function reportError(error: unknown, json: boolean, settings?: Settings): number {
  const known = error instanceof PlatformError ? error : wrapUnknown(error, settings);
  if (json) say(JSON.stringify({ error: { code: known.code, message: known.message, hint: known.hint } }));
  else say(`payments: ${known}`);
  return known.exitCode;
}

function wrapUnknown(error: unknown, settings: Settings | undefined): PlatformError {
  const explained = settings && explain(error, targetOf(settings));
  if (explained !== undefined) return explained;
  const code = verdictOf(error) === "outage" ? "POSTGRES_UNREACHABLE" : "INTERNAL";
  return new PlatformError(code, messageOf(error), { cause: error });
}

let interrupted: AbortController | undefined;

function interruption(): AbortSignal {
  if (interrupted !== undefined) return interrupted.signal;
  const controller = new AbortController();
  interrupted = controller;
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller.signal;
}
