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

/** Makes campaigns under keys, each caller one after the other, until it is told to stop. */
async function makeCampaigns(
  callers: number,
  over: AbortSignal,
): Promise<readonly { key: string; status: number; id: string }[]> {
  const made: { key: string; status: number; id: string }[] = [];
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let n = 0; !over.aborted; n += 1) {
        const key = `${caller}-${n}`;
        const headers = { "content-type": "application/json", "idempotency-key": key };
        const body = JSON.stringify({ name: key, budget: "10.00", currency: "USD" });
        const answer = await fetch(`${gateway.url}/campaigns`, { method: "POST", headers, body });
        const { id } = (await answer.json()) as { id: string };
        made.push({ key, status: answer.status, id });
        await sleep(10);
      }
    }),
  );
  return made;
}

test("nodes are told to end, killed and frozen in turn while campaigns are made under keys: each is answered, and made once", async () => {
  const over = new AbortController();
  const making = makeCampaigns(8, over.signal);
  await sleep(500);
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
  await sleep(1_000);
  nodes[1].signal("SIGCONT");
  await eventually("node 2 serves again", () => said(2, "UP") > 1, { withinMs: 5_000 });
  await sleep(500);
  over.abort();
  const made = await making;

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
