import { type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";
import { isSecret, settingNames } from "./settings/schema.js";

export type { Logger };

const SECRETS = ["password", ...settingNames.filter(isSecret)];

/**
 * The process's logger. Always on stderr, because stdout belongs to a command's data. JSON where something else reads it
 * (containers, files), readable lines on a terminal.
 *
 * @param level pino level name.
 * @param format `auto` picks by whether stderr is a terminal.
 */
export function createLogger(level: string, format: "auto" | "json" | "pretty"): Logger {
  const readable = format === "pretty" || (format === "auto" && process.stderr.isTTY);
  const options = {
    level,
    timestamp: stdTimeFunctions.isoTime,
    base: { pid: process.pid },
    // Settings and connection options may reach a log line through an error's details.
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[redacted]" },
  };
  // Both synchronous, so that the last lines before an exit are not lost.
  const stream = readable
    ? pretty({ destination: 2, sync: true, ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" })
    : pino.destination({ fd: 2, sync: true });
  return pino(options, stream);
}

/** A logger that says nothing, for tests and for library defaults. */
export const silentLogger: Logger = pino({ level: "silent" });
