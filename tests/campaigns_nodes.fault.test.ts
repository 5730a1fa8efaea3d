import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "./harness/eventually.js";
import { type Gateway, openGateway } from "./harness/haproxy.js";
import { Services } from "./harness/service.js";
import { Serving } from "./harness/serving.js";

/** The nodes of campaigns themselves behind HAProxy. */
let services: Services;
let nodes: readonly [Serving, Serving];
let gateway: Gateway;

beforeEach(async () => {
  services = await Services.create({ RABBITMQ_HEARTBEAT_S: "2", HTTP_DRAIN_MS: "600" }, "campaigns");
  nodes = [
    await Serving.start(services.settings, "campaigns"),
    await Serving.start(services.settings, "campaigns"),
  ];
  await Promise.all(nodes.map((node) => node.ready()));
  gateway = await openGateway({ PROXY_NODE_1: nodes[0].port, PROXY_NODE_2: nodes[1].port }, "campaigns");
});
afterEach(async () => {
  await gateway?.close();
  const statuses = await Promise.all((nodes ?? []).map((node) => node.stop()));
  await services?.close();
  expect(statuses).toEqual([0, 0]);
});

const said = (node: number, state: "DOWN" | "UP") =>
  gateway.said().split(`Server campaigns/${node} is ${state}`).length - 1;

interface Made {
  readonly key: string;
  readonly status: number;
  readonly id: string;
}

/** Makes campaigns under keys, each caller one after the other, until it is told to stop. */
async function makeCampaigns(callers: number, over: AbortSignal, made: Made[]): Promise<void> {
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let n = 0; !over.aborted; n += 1) {
        const key = `${caller}-${n}`;
        const headers = { "content-type": "application/json", "idempotency-key": key };
        const body = JSON.stringify({ name: key, budget: "10.00", currency: "USD" });
        const answer = await fetch(`${gateway.url}/campaigns`, { method: "POST", headers, body });
        const { id } = (await answer.json()) as { id: string };
        made.push({ key, status: answer.status, id });
        await sleep(10); // A load that leaves the nodes time to start anew.
      }
    }),
  );
}

test("nodes are told to end, killed and frozen in turn while campaigns are made under keys: each is answered, and made once", async () => {
  const over = new AbortController();
  const made: Made[] = [];
  const making = makeCampaigns(8, over.signal, made);
  const more = async (count: number) => {
    const before = made.length;
    await eventually(`${count} more are made`, () => made.length >= before + count);
  };
  await more(20);
  expect(await nodes[1].replace("SIGTERM")).toBe(0);
  await nodes[1].ready();
  await eventually("node 2 serves again", () => said(2, "UP") > 0, { withinMs: 5_000 });
  await nodes[0].replace();
  await nodes[0].ready();
  await eventually("node 1 serves again", () => said(1, "UP") > 0, { withinMs: 5_000 });
  const frozenAt = performance.now();
  nodes[1].signal("SIGSTOP");
  // It was down before, when it had ended.
  await eventually("node 2 is dead", () => said(2, "DOWN") > 1, { everyMs: 5 });
  const deadAfterMs = performance.now() - frozenAt;
  await more(20);
  nodes[1].signal("SIGCONT");
  await eventually("node 2 serves again", () => said(2, "UP") > 1, { withinMs: 5_000 });
  await more(20);
  over.abort();
  await making;

  expect(deadAfterMs).toBeLessThan(1_000);
  expect(made.length).toBeGreaterThan(50);
  expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
  const rows = await services.owner<{ name: string; campaign_id: string }>(
    "SELECT name, campaign_id FROM campaigns.campaign",
  );
  const inOrder = (list: readonly string[]) => list.toSorted();
  expect(inOrder(rows.map(({ name, campaign_id }) => `${name} ${campaign_id}`))).toEqual(
    inOrder(made.map(({ key, id }) => `${key} ${id}`)),
  );
  await eventually("the books agree", async () => (await services.differences("campaigns")).length === 0, {
    withinMs: 30_000,
  });
});
