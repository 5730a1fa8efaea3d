import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodesOf } from "../lib/broker/dial.js";
import { Publisher } from "../lib/broker/publisher.js";
import { silentLogger } from "../lib/observability/log.js";
import { packageRoot } from "../lib/root.js";
import { depth, testFamily } from "./harness/broker.js";
import { eventually } from "./harness/eventually.js";
import { testSettings } from "./harness/settings.js";

const run = promisify(execFile);
const MESSAGES = 100;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "stack-cluster-"));
});
afterAll(async () => {
  await stack("reset", "--yes");
  rmSync(dir, { recursive: true, force: true });
});

async function stack(...args: string[]): Promise<string> {
  const env = {
    PATH: process.env["PATH"],
    STACK_DIR: join(dir, "stack"),
    STACK_PORTS: "free",
    STACK_MEMORY_MB: "1024",
    PAYMENTS_ENV_FILE: "/dev/null",
  };
  return (await run(join(packageRoot, "scripts", "stack.sh"), args, { env })).stdout;
}

/** As a client gets them. */
async function settings() {
  const exported = [...(await stack("env")).matchAll(/^export (RABBITMQ_\w+)='?([^'\n]*)'?$/gm)];
  return testSettings(Object.fromEntries(exported.map(([, name, value]) => [name, value])));
}

/** How many members each queue has, and how many of them are there. */
async function members(): Promise<string[]> {
  const listed = JSON.parse(
    await stack(
      "rabbitmqctl",
      "-q",
      "--formatter",
      "json",
      "list_queues",
      "-p",
      "payments",
      "members",
      "online",
    ),
  ) as { members: string[]; online: string[] }[];
  return listed.map((queue) => `${queue.members.length} ${queue.online.length}`);
}

test("one node becomes three, bears the loss of one, and is one again: messages stay", async () => {
  const family = testFamily();
  const left = async () => {
    const [first] = nodesOf(await settings());
    return depth({ ...(await settings()), ...first }, family.work);
  };
  const publish = async () => {
    const address = await settings();
    const name = "test";
    const publisher = new Publisher({
      address,
      name,
      logger: silentLogger,
      connectPolicy: "once",
      families: [family],
    });
    try {
      await Promise.all(Array.from({ length: MESSAGES }, () => publisher.publish(family.work, "x")));
    } finally {
      await publisher.close();
    }
  };
  await stack("up");
  expect((await settings()).RABBITMQ_HOST).toBe("127.0.0.1");
  await publish();
  expect(new Set(await members())).toEqual(new Set(["1 1"]));

  await stack("up", "--with-cluster");
  expect((await settings()).RABBITMQ_HOST.split(",")).toHaveLength(3);
  expect(await stack("status")).toMatch(/^rabbitmq-3 +up /m);
  expect(new Set(await members())).toEqual(new Set(["3 3"]));
  const other = testFamily();
  const address = await settings();
  const declaring = {
    address,
    name: "test",
    logger: silentLogger,
    connectPolicy: "once",
    families: [other],
  } as const;
  const publisher = new Publisher(declaring);
  await publisher.up();
  await publisher.close();
  expect(new Set(await members())).toEqual(new Set(["3 3"]));

  const pid = Number(readFileSync(join(dir, "stack", "run", "rabbitmq-2.pid"), "utf8").split(" ")[0]);
  process.kill(pid, "SIGKILL");
  await eventually("two of three", async () => (await members()).every((each) => each === "3 2"));
  await publish();
  await stack("up");
  await eventually("three of three", async () => (await members()).every((each) => each === "3 3"), {
    withinMs: 60_000,
  });

  await stack("down");
  await stack("up");
  expect(await left()).toBe(2 * MESSAGES);

  await stack("up", "--without-cluster");
  expect((await settings()).RABBITMQ_HOST).toBe("127.0.0.1");
  expect(new Set(await members())).toEqual(new Set(["1 1"]));
  expect(await left()).toBe(2 * MESSAGES);
  await stack("down");
  await stack("up");
  expect(await left()).toBe(2 * MESSAGES);
}, 600_000);
