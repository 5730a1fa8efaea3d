import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../lib/domain/ids.js";
import { eventMessage } from "../../lib/messaging/event.js";
import { eventually } from "../../tests/harness/eventually.js";
import { rabbitmqctl } from "../../tests/harness/servers.js";
import { Services } from "../../tests/harness/service.js";
import { paymentsChecked } from "../contracts/payments_checked.js";
import { paymentsExpired } from "../contracts/payments_expired.js";
import { walletDebitRequested } from "../contracts/wallet_debit_requested.js";
import { walletResponse } from "../contracts/wallet_response.js";

/** In one process with the services whose events it sees. */
let services: Services;
beforeAll(async () => {
  services = await Services.create({}, "fraud", "wallet", "metrics");
  await services.start();
});
afterAll(() => services?.close());

async function counters(): Promise<Record<string, number>> {
  const { body } = await services.get("/metrics");
  const lines = (body as string).matchAll(/^((?:payment|wallet)_\w+_total) (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
}

const NONE = {
  payment_created_total: 0,
  payment_approved_total: 0,
  payment_declined_total: 0,
  wallet_debit_requested_total: 0,
  wallet_debit_approved_total: 0,
  wallet_debit_declined_total: 0,
  wallet_refunded_total: 0,
};

const id = newId();
const debit = { payment_id: id, user_id: "nobody", amount: "1.00", currency: "USD" };
const response = { ...debit, reason: "success" as const };

test("its counters begin at nothing, and all of the process is well", async () => {
  expect(await counters()).toEqual(NONE);
  const { body } = await services.get("/health");
  expect(body).toMatchObject({ status: "healthy", checks: { postgres: "up", rabbitmq: "up" } });
});

test("it counts what happens, and not what is said once more", async () => {
  const declined = {
    id,
    status: "DECLINED" as const,
    reason: "fraud_detected" as const,
    checked_at: new Date().toISOString(),
  };
  await services.send([
    eventMessage(walletResponse, { ...response, status: "APPROVED" }, { messageId: newId() }),
    eventMessage(walletResponse, { ...response, status: "APPROVED" }, { messageId: newId(), repeat: true }),
    eventMessage(paymentsExpired, { id, reason: "timed_out" }, { messageId: newId() }),
    eventMessage(paymentsChecked, declined, { messageId: newId() }),
    eventMessage(paymentsChecked, { ...declined, status: "APPROVED" }, { messageId: newId() }),
  ]);
  // It is answered by the wallet, which knows no such user.
  await services.publish(walletDebitRequested, [debit]);
  const expected = {
    ...NONE,
    payment_approved_total: 1,
    payment_declined_total: 3,
    wallet_debit_requested_total: 1,
    wallet_debit_approved_total: 1,
    wallet_debit_declined_total: 1,
  };
  await eventually("counted", async () => (await counters())["wallet_debit_declined_total"] === 1);
  // Queues of one consumer tell in any order, so what is missing may still come.
  await eventually("all of it", async () => JSON.stringify(await counters()) === JSON.stringify(expected));
});

test("an observer's queues are its own, in memory, and drop the oldest when nobody looks", async () => {
  const listed = await rabbitmqctl(
    ...["list_queues", "--vhost", services.settings.RABBITMQ_VHOST, "--formatter", "json"],
    ...["name", "type", "durable", "auto_delete", "exclusive", "arguments"],
  );
  const queues = (JSON.parse(listed) as { name: string }[]).filter(({ name }) =>
    name.startsWith("metrics-service-"),
  );
  expect(queues.map(({ name }) => name.replace(/\..*/, "")).sort()).toEqual([
    "metrics-service-payments-checked-consumer",
    "metrics-service-payments-created-consumer",
    "metrics-service-payments-expired-consumer",
    "metrics-service-wallet-debit-requested-consumer",
    "metrics-service-wallet-refunded-consumer",
    "metrics-service-wallet-response-consumer",
  ]);
  for (const queue of queues) {
    expect(queue).toMatchObject({
      type: "classic",
      durable: false,
      auto_delete: true,
      exclusive: true,
    });
    // RabbitMQ's releases show arguments in two ways.
    expect(JSON.stringify(queue)).toMatch(/x-max-length[^\]}]*100000/);
    expect(JSON.stringify(queue)).toMatch(/x-overflow[^\]}]*drop-head/);
  }
});
