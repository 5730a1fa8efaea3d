import { isatty } from "node:tty";
import { type Logger, pino, stdTimeFunctions } from "pino";
import { prettyFactory } from "pino-pretty";
import { stderrLines } from "../process/stderr.js";
import { isSecret, settingNames } from "../settings/schema.js";

export type { Logger };

const SECRETS = ["password", ...settingNames.filter(isSecret)];

/**
 * The process's logger. Always on stderr, because stdout belongs to a command's data. JSON where something else reads it
 * (containers, files), readable lines on a terminal. A log that cannot be written is no reason to stop work: lost lines are
 * counted, and said as soon as there is room.
 *
 * @param level pino level name.
 * @param format `auto` picks by whether stderr is a terminal.
 */
export function createLogger(level: string, format: "auto" | "json" | "pretty"): Logger {
  const readable = format === "pretty" || (format === "auto" && isatty(2));
  const options = {
    level,
    timestamp: stdTimeFunctions.isoTime,
    base: { pid: process.pid },
    // Settings and connection options may reach a log line through an error's details.
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[redacted]" },
  };
  const shown = readable
    ? prettyFactory({ ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" })
    : (line: string) => line;
  stderrLines.announce = (lost, code) => {
    let text = "";
    const own = pino({ ...options, level: "warn" }, { write: (line) => (text = shown(line)) });
    own.warn({ lost, code }, `${lost} log lines lost: ${code}`);
    return text;
  };
  return pino(options, { write: (line) => stderrLines.write(shown(line)) });
}

/** A logger that says nothing, for tests and for library defaults. */
export const silentLogger: Logger = pino({ level: "silent" });
