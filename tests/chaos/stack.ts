import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type AllSettings, loadAllSettings } from "../../app/settings.js";
import { packageRoot } from "../../lib/root.js";
import { eventually } from "../harness/eventually.js";
import type { ServerName } from "./schedule.js";

const run = promisify(execFile);
const SCRIPT = join(packageRoot, "scripts", "stack.sh");
/** Crash recovery and a broker's boot take seconds; stack.sh itself gives up before this. */
const COMMAND_MS = 400_000;
/** PostgreSQL's default is 60 s. */
const AUTHENTICATION_TIMEOUT_MS = 90_000;

/** The rig's own servers, kept by scripts/stack.sh in STACK_DIR. */
export class Stack {
  readonly dir: string;
  /** What stack.sh said when a server did not come up at the first try. */
  readonly secondStarts: string[] = [];
  /**
   * Queues that a killed broker could not restart, and when they were deleted: an operator's last remedy (troubleshooting.md). RabbitMQ
   * 3.10 loses one that was made seconds before (`{error,enoent}` in its log).
   */
  readonly lostQueues: { readonly queue: string; readonly atMs: number }[] = [];
  #settings: AllSettings;

  private constructor(dir: string, settings: AllSettings) {
    this.dir = dir;
    this.#settings = settings;
  }

  /** Attaches to the stack that scripts/chaos.sh has started. */
  static async attach(dir: string): Promise<Stack> {
    return new Stack(dir, await readSettings());
  }

  /** Straight to the servers, past any proxy. */
  get settings(): AllSettings {
    return this.#settings;
  }

  address(server: ServerName): { host: string; port: number } {
    const { POSTGRES_HOST, POSTGRES_PORT, RABBITMQ_HOST, RABBITMQ_PORT } = this.#settings;
    return server === "postgres"
      ? { host: POSTGRES_HOST, port: POSTGRES_PORT }
      : { host: RABBITMQ_HOST, port: RABBITMQ_PORT };
  }

  /** Signals a server by its pid file and waits until it is gone. */
  async end(server: ServerName, signal: NodeJS.Signals): Promise<void> {
    const pid = this.#livePid(server);
    if (pid === undefined) {
      return;
    }
    process.kill(pid, signal);
    const limit = { withinMs: 120_000, everyMs: 50 };
    await eventually(`${server} gone after ${signal}`, () => this.#livePid(server) !== pid, limit);
  }

  /**
   * Starts whatever is down; resolves when both servers answer. Tries for as long as PostgreSQL waits for a client to say who it is:
   * those that a proxy cut off in the middle of that fill all places of a server that has just come back.
   */
  async up(): Promise<void> {
    const until = Date.now() + AUTHENTICATION_TIMEOUT_MS;
    const { stderr } = await this.#start(until);
    this.secondStarts.push(...stderr.split("\n").filter((line) => line.includes("trying once more")));
    this.#settings = await readSettings();
    await this.#deleteLostQueues();
  }

  async #deleteLostQueues(): Promise<void> {
    for (const [queue, state] of await this.#listQueues("state")) {
      if (state === "down") {
        await this.#rabbitmqctl("delete_queue", queue);
        this.lostQueues.push({ queue, atMs: Date.now() });
      }
    }
  }

  async #start(until: number): Promise<{ stderr: string }> {
    try {
      return await run(SCRIPT, ["up"], { timeout: COMMAND_MS });
    } catch (error) {
      if (Date.now() > until) {
        throw error;
      }
      await sleep(1_000);
      return this.#start(until);
    }
  }

  /** Messages in each queue, whatever their state. */
  async queueDepths(): Promise<Map<string, number>> {
    return new Map([...(await this.#listQueues("messages"))].map(([name, n]) => [name, Number(n)]));
  }

  async #listQueues(column: "messages" | "state"): Promise<Map<string, string>> {
    const stdout = await this.#rabbitmqctl("list_queues", "name", column, "--no-table-headers");
    const lines = stdout.split("\n").filter((line) => line.includes("\t"));
    return new Map(lines.map((line) => line.split("\t") as [string, string]));
  }

  async #rabbitmqctl(...args: string[]): Promise<string> {
    const [command = "", ...more] = args;
    const { RABBITMQ_VHOST } = this.#settings;
    const all = ["rabbitmqctl", "-q", "-p", RABBITMQ_VHOST, command, ...more];
    return (await run(SCRIPT, all, { timeout: 60_000 })).stdout;
  }

  /** A pid file holds number and start time: a stranger with the same number is never signalled. */
  #livePid(server: ServerName): number | undefined {
    try {
      const [pid, start] = readFileSync(join(this.dir, "run", `${server}.pid`), "utf8")
        .trim()
        .split(" ");
      return startTimeOf(Number(pid)) === start ? Number(pid) : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Field 22 of /proc/PID/stat. @throws when there is no such process; undefined for a zombie. */
export function startTimeOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

async function readSettings(): Promise<AllSettings> {
  const { stdout } = await run(SCRIPT, ["env"], { timeout: 60_000 });
  const lines = [...stdout.matchAll(/^export (\w+)='(.*)'$/gm)];
  const env = Object.fromEntries(lines.map(([, name, value]) => [name ?? "", value]));
  return loadAllSettings({ env, envFile: "/nonexistent/.env" });
}
