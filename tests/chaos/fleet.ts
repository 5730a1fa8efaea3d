import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AllSettings } from "../../app/settings.js";
import { start } from "../../lib/process/run.js";
import { packageRoot } from "../../lib/root.js";
import { freePort } from "../harness/free_port.js";
import { TcpProxy } from "../harness/proxy.js";
import { MAIN } from "./command.js";
import { SERVERS, type ServerName } from "./schedule.js";
import { type Stack, startTimeOf } from "./stack.js";

const GRACE_MS = 60_000;
const SUPERVISOR_PAUSE_MS = 1_000;

/** A process of ours that faults are done to. */
export interface ProcessPlan {
  /** Unique, e.g. `worker 0`. */
  readonly name: string;
  /** Of `payments`, e.g. `serve wallet`. */
  readonly args: readonly string[];
  readonly uses: readonly ServerName[];
  readonly settings: Partial<AllSettings>;
  /** Whether it serves HTTP; the port is its own as long as the rig runs. */
  readonly http?: true;
  /** What its messages begin with; a trap waits for it on the way to the broker. */
  readonly message: Buffer;
}

/** One process at a time, behind proxies of its own, restarted as a supervisor would. */
export class ProcessSlot {
  readonly plan: ProcessPlan;
  readonly proxies: Readonly<Record<ServerName, TcpProxy>>;
  readonly logFile: string;
  /** Ends that nobody asked for, by their log's last line: whatever the faults, a process is to live through them. */
  readonly surprises: string[] = [];
  /** Of the next process. */
  database: string;
  /** Where it serves HTTP. */
  readonly url: string;
  readonly #stack: Stack;
  readonly #httpPort: number;
  #child: ChildProcess | undefined;
  #wanted = false;

  private constructor(
    stack: Stack,
    plan: ProcessPlan,
    proxies: Readonly<Record<ServerName, TcpProxy>>,
    { logDir, httpPort }: { readonly logDir: string; readonly httpPort: number },
  ) {
    this.#stack = stack;
    this.plan = plan;
    this.proxies = proxies;
    this.#httpPort = httpPort;
    this.url = `http://127.0.0.1:${httpPort}`;
    this.database = stack.settings.POSTGRES_DB;
    this.logFile = join(logDir, `${this.#fileName}.log`);
    writeFileSync(this.logFile, "");
  }

  static async open(stack: Stack, plan: ProcessPlan, logDir: string): Promise<ProcessSlot> {
    const [postgres, rabbitmq] = await Promise.all(
      SERVERS.map((server) => TcpProxy.open(() => stack.address(server))),
    );
    if (postgres === undefined || rabbitmq === undefined) {
      throw new Error("a proxy did not open");
    }
    return new ProcessSlot(stack, plan, { postgres, rabbitmq }, { logDir, httpPort: await freePort() });
  }

  /** Starts a process, unless one is there. */
  start(): void {
    if (this.#child !== undefined) {
      return;
    }
    this.#wanted = true;
    const log = openSync(this.logFile, "a");
    const child = start([process.execPath, MAIN, ...this.plan.args], {
      cwd: packageRoot,
      env: this.#environment(),
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
        `${this.plan.name} ended by itself (${signal ?? `exit ${code}`}): ${this.#lastLine()}`,
      );
      setTimeout(() => this.#wanted && this.start(), SUPERVISOR_PAUSE_MS);
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
        this.surprises.push(`${this.plan.name} did not stop within ${GRACE_MS} ms of SIGTERM`);
        return this.kill();
      })
      .catch(() => undefined);
    await this.#end("SIGTERM");
    late.abort();
    await killed;
    if (child.exitCode !== 0 && child.signalCode === null) {
      this.surprises.push(`${this.plan.name} ended with ${child.exitCode} on SIGTERM: ${this.#lastLine()}`);
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

  #environment(): object {
    const { settings } = this.#stack;
    const through: Partial<AllSettings> = {
      POSTGRES_HOST: "127.0.0.1",
      POSTGRES_PORT: this.proxies.postgres.port,
      POSTGRES_DB: this.database,
      RABBITMQ_HOST: "127.0.0.1",
      RABBITMQ_PORT: this.proxies.rabbitmq.port,
      LOG_LEVEL: "info",
      LOG_FORMAT: "json",
      ...(this.plan.http ? { HTTP_PORT: this.#httpPort } : {}),
    };
    return { ...settings, ...through, ...this.plan.settings, PAYMENTS_ENV_FILE: "/dev/null" };
  }

  get #fileName(): string {
    return this.plan.name.replaceAll(" ", "-");
  }

  /** `stack.sh down` and `reset` end processes of ours by these, should the rig itself be killed. */
  get #pidFile(): string {
    return join(this.#stack.dir, "run", `worker-chaos-${this.#fileName}.pid`);
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

/** Failures that processes logged beside outages, by verdict and code: `retry 40P01` → 2. Each retry is an attempt burnt. */
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
