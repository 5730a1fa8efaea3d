import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../tests/harness/eventually.js";
import { freePort } from "../../tests/harness/free_port.js";
import { startServiceAt } from "../../tests/harness/process.js";
import { Receiver } from "../../tests/harness/receiver.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsChecked } from "../contracts/payments_checked.js";

let services: Services;
let receiver: Receiver;
beforeEach(async () => {
  receiver = await Receiver.open();
  services = await Services.create(receiver.settings, "payments");
});
afterEach(async () => {
  await services?.close();
  await receiver?.close();
});

/** Before the change is made, and between sending a webhook and keeping that it arrived. */
const POINTS = ["saga_apply_and_tell", "webhook_settle"] as const;

test.each(POINTS)("kill -9 at %s: each end is told, under one webhook-id", async (point) => {
  await services.start();
  const order = { amount: "1.00", currency: "USD", method: "card", customer_id: "ada" };
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) {
    ids.push((await services.post("/payments", order)).body.id);
  }
  await services.stop();
  await services.publish(
    paymentsChecked,
    ids.map((id) => ({
      id,
      status: "DECLINED",
      reason: "fraud_detected",
      checked_at: new Date().toISOString(),
    })),
  );
  const settings = { ...services.settings, HTTP_PORT: await freePort() };
  await startServiceAt(settings, { module: "payments", point, signal: "SIGKILL" }).ended;
  expect(receiver.received.length > 0).toBe(point === "webhook_settle");

  // As if the lease of the dead had run out.
  await services.owner("UPDATE saga.webhook SET next_at = now() WHERE state = 'pending'");
  await services.start();
  await eventually("all told, and kept", async () => {
    const rows = await services.owner<{ state: string }>("SELECT state FROM saga.webhook");
    return rows.length === ids.length && rows.every(({ state }) => state === "delivered");
  });
  expect(receiver.forged).toEqual([]);
  const idsOf = new Map<string, Set<string>>(ids.map((id) => [id, new Set()]));
  for (const { id, body } of receiver.received) {
    idsOf.get(body.data.id)?.add(id);
  }
  expect([...idsOf.values()].map(({ size }) => size)).toEqual(ids.map(() => 1));
  expect(receiver.received.length > ids.length).toBe(point === "webhook_settle");
});
