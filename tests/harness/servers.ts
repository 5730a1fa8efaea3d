import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { packageRoot } from "../../lib/root.js";
import { eventually } from "./eventually.js";

const run = promisify(execFile);

export type Server =
  | "postgres"
  | "replica"
  | "rabbitmq"
  | "prometheus"
  | "alertmanager"
  | "postgres-exporter";

/** Ends a server of the test stack by its pid file. SIGQUIT is PostgreSQL's immediate stop: as a crash, without a checkpoint. */
export async function killServer(name: Server, signal: NodeJS.Signals): Promise<void> {
  const file = join(stackDir(), "run", `${name}.pid`);
  const pid = Number(readFileSync(file, "utf8").split(" ")[0]);
  process.kill(pid, signal);
  await eventually(`${name} gone`, () => !isAlive(pid), { withinMs: 60_000 });
}

/** Starts whatever of the test stack is down; on the same ports, with the same data. @param options of `up` */
export async function startServers(...options: string[]): Promise<void> {
  await run(join(packageRoot, "scripts", "stack.sh"), ["up", ...options], {
    env: { ...process.env, STACK_DIR: stackDir() },
  });
}

/** RabbitMQ's own tool on the test stack. */
export async function rabbitmqctl(...args: string[]): Promise<string> {
  const env = { ...process.env, STACK_DIR: stackDir() };
  return (await run(join(packageRoot, "scripts", "stack.sh"), ["rabbitmqctl", "-q", ...args], { env }))
    .stdout;
}

function stackDir(): string {
  const dir = process.env["STACK_DIR"];
  if (!dir) {
    throw new Error("no test stack in the environment; run: scripts/test.sh fault");
  }
  return dir;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie still takes signals.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** One statement as PostgreSQL's superuser, for what no role of the platform may do. */
export async function asSuperuser(statement: string): Promise<void> {
  const client = new pg.Client({
    host: process.env["POSTGRES_HOST"],
    port: Number(process.env["POSTGRES_PORT"]),
    user: "postgres",
    password: readFileSync(join(stackDir(), "secrets", "postgres_password"), "utf8"),
    database: "postgres",
  });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
