import { readdirSync, readFileSync } from "node:fs";
import { withPool } from "./database.js";
import { CHILD_MARK, openSessions, requireNothingLeft } from "./leaks.js";
import { rabbitmqctl } from "./servers.js";
import { stacks, useStack } from "./stacks.js";

/** Before and after all files on servers: what outlived the process of its test. */
export function setup(): void {
  process.env[CHILD_MARK] = `${process.pid}`;
}

export async function teardown(): Promise<void> {
  for (const stack of stacks.length > 0 ? stacks : [undefined]) {
    useStack(stack);
    await withPool({ role: "admin" }, (admin) =>
      requireNothingLeft(async () => [
        ...orphans(`${process.pid}`),
        ...(await openSessions(admin, "test\\_%")),
        ...(await brokerConnections()),
      ]),
    );
  }
}

/** Processes that tests of this run have started. */
function orphans(run: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(pid, "environ").split("\0").includes(`${CHILD_MARK}=${run} child`))
    .map((pid) => `process ${pid}: ${read(pid, "cmdline").replaceAll("\0", " ")}`);
}

/** Nothing of one that has just ended, or is another user's. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

async function brokerConnections(): Promise<string[]> {
  const listed = await rabbitmqctl("list_connections", "vhost", "name", "client_properties");
  return listed
    .split("\n")
    .filter((line) => line.startsWith("test_"))
    .map((line) => `RabbitMQ connection ${/"connection_name","([^"]+)"/.exec(line)?.[1] ?? line}`);
}
