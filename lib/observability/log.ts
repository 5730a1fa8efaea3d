import { createRequire } from "node:module";
import { isatty } from "node:tty";
import { type Logger, pino } from "pino";
import { stderrLines } from "../process/stderr.js";

export type { Logger };

export interface LogOptions {
  readonly level: string;
  /** `auto` picks by whether stderr is a terminal. */
  readonly format: "auto" | "json" | "pretty";
  /** Names whose values are never shown. */
  readonly secrets: readonly string[];
}

/** Whose lines those are that belong to a process and to none of its modules. */
export const PLATFORM = "payments-platform";

/**
 * A line's fields are level, timestamp, message, error, and by whoever logs service and trace_id. Who logs may also call an error
 * `err`, as Fastify does.
 */
const WORDS = {
  messageKey: "message",
  timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
  formatters: {
    level: (level: string) => ({ level }),
    log: (line: Record<string, unknown>) => {
      if (!("err" in line)) {
        return line;
      }
      const { err: error, ...rest } = line;
      return { ...rest, error };
    },
  },
  serializers: { error: pino.stdSerializers.err },
};

/**
 * The process's logger. Always on stderr, because stdout belongs to a command's data. JSON where something else reads it
 * (containers, files), readable lines on a terminal. A log that cannot be written is no reason to stop work: lost lines are
 * counted, and said as soon as there is room.
 */
export function createLogger({ level, format, secrets }: LogOptions): Logger {
  const readable = format === "pretty" || (format === "auto" && isatty(2));
  const options = {
    ...WORDS,
    level,
    base: { pid: process.pid },
    redact: {
      // Settings and connection options may reach a log line through an error's details.
      paths: ["password", ...secrets].flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
      censor: "[redacted]",
    },
  };
  const shown = readable ? readableLines() : (line: string) => line;
  stderrLines.announce = (lost, code) => {
    let text = "";
    const own = pino({ ...options, level: "warn" }, { write: (line) => (text = shown(line)) });
    own.warn({ service: PLATFORM, lost, code }, `${lost} log lines lost: ${code}`);
    return text;
  };
  return pino(options, { write: (line) => stderrLines.write(shown(line)) });
}

/** What makes lines readable is loaded where they are read: the forty files of it are a tenth of a command's start. */
function readableLines(): (line: string) => string {
  const { prettyFactory } = createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");
  return prettyFactory({
    ...{ messageKey: "message", timestampKey: "timestamp", errorLikeObjectKeys: ["error"] },
    ...{ ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" },
  });
}

/** A logger that says nothing, for tests and for library defaults. */
export const silentLogger: Logger = pino({ level: "silent" });
