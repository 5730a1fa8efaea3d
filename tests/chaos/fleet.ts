import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AllSettings } from "../../app/settings.js";
import { start } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";
import { TcpProxy } from "../harness/proxy.js";
import { MAIN } from "./command.js";
import { SERVERS, type ServerName } from "./schedule.js";
import { type Stack, startTimeOf } from "./stack.js";

const GRACE_MS = 60_000;
const SUPERVISOR_PAUSE_MS = 1_000;

/** One worker process at a time, behind proxies of its own, restarted as a supervisor would. */
export class WorkerSlot {
  readonly proxies: Readonly<Record<ServerName, TcpProxy>>;
  readonly logFile: string;
  /** Ends that nobody asked for, by their log's last line: whatever the faults, a worker is to live through them. */
  readonly surprises: string[] = [];
  readonly #stack: Stack;
  readonly #number: number;
  #child: ChildProcess | undefined;
  #wanted = false;

  private constructor(
    stack: Stack,
    number: number,
    proxies: Readonly<Record<ServerName, TcpProxy>>,
    logDir: string,
  ) {
    this.#stack = stack;
    this.#number = number;
    this.proxies = proxies;
    this.logFile = join(logDir, `worker-${number}.log`);
    writeFileSync(this.logFile, "");
  }

  static async open(stack: Stack, number: number, logDir: string): Promise<WorkerSlot> {
    const [postgres, rabbitmq] = await Promise.all(
      SERVERS.map((server) => TcpProxy.open(() => stack.address(server))),
    );
    if (postgres === undefined || rabbitmq === undefined) {
      throw new Error("a proxy did not open");
    }
    return new WorkerSlot(stack, number, { postgres, rabbitmq }, logDir);
  }

  /** Starts a process, unless one is there. */
  start(database: string): void {
    if (this.#child !== undefined) {
      return;
    }
    this.#wanted = true;
    const log = openSync(this.logFile, "a");
    const child = start([process.execPath, MAIN, "worker"], {
      cwd: packageRoot,
      env: this.#environment(database),
      stdio: ["ignore", "ignore", log],
    });
    closeSync(log);
    this.#child = child;
    this.#writePidFile(child.pid);
    child.once("exit", (code, signal) => {
      this.#child = undefined;
      if (!this.#wanted) {
        return;
      }
      this.surprises.push(
        `worker ${this.#number} ended by itself (${signal ?? `exit ${code}`}): ${this.#lastLine()}`,
      );
      setTimeout(() => this.#wanted && this.start(database), SUPERVISOR_PAUSE_MS);
    });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** SIGTERM; then SIGKILL, which is reported. */
  async stop(): Promise<void> {
    this.thaw();
    const child = this.#child;
    if (child === undefined) {
      return;
    }
    const late = new AbortController();
    const killed = sleep(GRACE_MS, undefined, { signal: late.signal })
      .then(() => {
        this.surprises.push(`worker ${this.#number} did not stop within ${GRACE_MS} ms of SIGTERM`);
        return this.kill();
      })
      .catch(() => undefined);
    await this.#end("SIGTERM");
    late.abort();
    await killed;
    if (child.exitCode !== 0 && child.signalCode === null) {
      this.surprises.push(
        `worker ${this.#number} ended with ${child.exitCode} on SIGTERM: ${this.#lastLine()}`,
      );
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#wanted = false;
    const child = this.#child;
    if (child === undefined) {
      return;
    }
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
    rmSync(this.#pidFile, { force: true });
  }

  #environment(database: string): object {
    const { settings } = this.#stack;
    const through: Partial<AllSettings> = {
      POSTGRES_HOST: "127.0.0.1",
      POSTGRES_PORT: this.proxies.postgres.port,
      POSTGRES_DB: database,
      RABBITMQ_HOST: "127.0.0.1",
      RABBITMQ_PORT: this.proxies.rabbitmq.port,
      WORKER_CONCURRENCY: 2,
      LOG_LEVEL: "info",
      LOG_FORMAT: "json",
    };
    return { ...settings, ...through, PAYMENTS_ENV_FILE: "/dev/null" };
  }

  /** `stack.sh down` and `reset` end workers by these, should the rig itself be killed. */
  get #pidFile(): string {
    return join(this.#stack.dir, "run", `worker-chaos-${this.#number}.pid`);
  }

  #writePidFile(pid: number | undefined): void {
    if (pid !== undefined) {
      writeFileSync(this.#pidFile, `${pid} ${startTimeOf(pid)}\n`);
    }
  }

  #lastLine(): string {
    return readFileSync(this.logFile, "utf8").trimEnd().split("\n").at(-1)?.slice(0, 600) ?? "";
  }
}

/** Failures that workers logged beside outages, by verdict and code: `retry 40P01` → 2. Each retry is an attempt burnt. */
export function failuresIn(logFiles: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of logFiles.flatMap((file) => readFileSync(file, "utf8").split("\n"))) {
    const match = /"code":"([^"]*)","verdict":"([^"]*)"/.exec(line);
    if (match === null) {
      continue;
    }
    const key = `${match[2]} ${match[1]}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
