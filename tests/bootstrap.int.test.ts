import { afterEach, beforeEach, expect, test } from "vitest";
import { Checkout } from "./harness/checkout.js";

let checkout: Checkout;
beforeEach(async () => {
  checkout = await Checkout.create();
});
afterEach(() => checkout.remove());

/** Two at once, and once more: tests/bootstrap.machines.test.ts. */
test("bootstrap on a new machine: the rows asked for, verified, and services that answer at the address it tells", async () => {
  const { stdout } = await checkout.script("bootstrap.sh", "--local", "--rows", "1000");
  const [api = ""] = /http:\/\/localhost:\d+/.exec(stdout) ?? [];
  const health = await fetch(`${api}/health`);
  expect(health.status).toBe(200);
  const wallets = await fetch(`${api}/wallets?user_id=customer-123`);
  expect(await wallets.json()).toMatchObject({ wallets: [{ balance: "1000000.00" }] });
  expect(await checkout.payments("verify")).toContain("verified: ");
});
