import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";

/** The account that a program runs as, by its numbers; only root may choose one. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface ProgramOptions {
  /** Its whole environment, but for PATH; settings among others. */
  readonly env?: object | undefined;
  readonly cwd?: string;
  /** Pipes when left out. */
  readonly stdio?: StdioOptions;
  readonly owner?: Owner | undefined;
  /** What the kernel sends it when we die. */
  readonly deathSignal?: "TERM" | "INT";
  /** In a process group of its own: Ctrl-C on the terminal is for us alone. */
  readonly detached?: boolean;
}

/** Starts a program that gets nothing of our environment but PATH, and that the kernel ends when we die, however we die. */
export function start(command: readonly string[], options: ProgramOptions = {}): ChildProcess {
  const { env, cwd = "/", stdio = "pipe", owner, deathSignal = "TERM", detached = false } = options;
  const drop = owner ? [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups"] : [];
  const given = Object.entries(env ?? {}).filter(([, value]) => value !== undefined);
  const own = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
  const child = spawn("setpriv", [...drop, `--pdeathsig=${deathSignal}`, "--", ...command], {
    env: { PATH: process.env["PATH"], ...own },
    cwd,
    stdio,
    detached,
  });
  // Nobody needs to listen: who waits for its end hears of it there.
  child.on("error", () => undefined);
  // It may end before it has read all.
  child.stdin?.on("error", () => undefined);
  return child;
}

export interface Output {
  stdout: string;
  stderr: string;
}

/** What a program has written so far; grows while it runs. */
export function outputOf(child: ChildProcess): Output {
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  // Only its end is of interest, however much a program has to say.
  child.stderr
    ?.setEncoding("utf8")
    .on("data", (text: string) => (output.stderr = (output.stderr + text).slice(-1_000_000)));
  return output;
}

export interface RunOptions extends ProgramOptions {
  readonly input?: string | undefined;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
  /** Exit statuses with which it has done its work. Default: 0 alone. */
  readonly answers?: readonly number[];
}

/**
 * Runs a program to its end.
 *
 * @returns its standard output.
 * @throws Error with the line of its standard error that says most; the reason of `signal` when that has fired.
 */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input = "", signal, answers = [0] } = options;
  signal?.throwIfAborted();
  const child = start(command, options);
  const output = outputOf(child);
  child.stdin?.end(input);
  const end = () => child.kill("SIGTERM");
  signal?.addEventListener("abort", end, { once: true });
  try {
    const [code, by] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    signal?.throwIfAborted();
    if (code !== null && answers.includes(code)) {
      return output.stdout;
    }
    const name = basename(command[0] ?? "");
    throw new Error(`${name} ended with ${by ?? code}: ${firstErrorLine(output.stderr)}`);
  } finally {
    signal?.removeEventListener("abort", end);
  }
}

/**
 * The first line that names an error, as what comes after it is mostly its consequence, and a later one with the server's
 * reason, where it gives none itself; else the last one there is.
 */
export function firstErrorLine(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const first = lines.findIndex((line) => /error|fatal|failed/i.test(line));
  const error = lines.at(first) ?? "no reason given";
  const reason = lines.slice(first + 1).find((line) => /\b(FATAL|DETAIL): /i.test(line));
  return first < 0 || reason === undefined || /FATAL: /.test(error) ? error : `${error}: ${reason.trim()}`;
}
