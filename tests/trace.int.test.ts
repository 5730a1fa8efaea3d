import { expect, test } from "vitest";
import { MODULES } from "../app/modules.js";
import { eventually } from "./harness/eventually.js";
import { freePort } from "./harness/free_port.js";
import { Platform } from "./harness/platform.js";
import { startPayments } from "./harness/process.js";

type Line = Readonly<Record<string, unknown>>;

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const HEADERS = {
  "content-type": "application/json",
  traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
};

test("a payment's trace is in every service's log, from the request to the last event; each line has the contract's words", async () => {
  const platform = await Platform.create({});
  const port = await freePort();
  const settings = { ...platform.settings, HTTP_PORT: port, LOG_LEVEL: "debug", LOG_FORMAT: "json" } as const;
  const { child, output, ended } = startPayments(settings, "serve");
  const url = (path: string) => `http://127.0.0.1:${port}${path}`;
  const send = async (path: string, body: object, headers: Record<string, string>) => {
    const answer = await fetch(url(path), { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(201);
    return (await answer.json()) as { id: string; trace_id?: string };
  };
  const lines = () =>
    output.stderr
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  try {
    await eventually("ready", async () => (await fetch(url("/readyz")).catch(() => undefined))?.ok === true);
    const json = { "content-type": "application/json" };
    const { id: wallet } = await send("/wallets", { user_id: "ada", currency: "USD" }, json);
    await send(`/wallets/${wallet}/credit`, { amount: "500.00", reference: "r1" }, json);
    const order = { amount: 100.5, currency: "USD", method: "credit_card", customer_id: "ada" };
    const payment = await send("/payments", order, HEADERS);
    expect(payment.trace_id).toBe(TRACE);
    const told = () => lines().filter((line) => line["trace_id"] === TRACE);
    await eventually("the last event is handled", () => told().length >= 5);

    const said = told().map(({ service, message, event, key, causes }) => [
      service,
      message,
      event,
      key,
      causes,
    ]);
    const { id } = payment;
    // Each says its line once its followers are published; by then the next may have said its own.
    expect(said.map(String).sort()).toEqual(
      [
        ["payment-service", "request", undefined, undefined, undefined],
        ["fraud-service", "event handled", "payments.created", id, ["payments.checked"]],
        ["payment-service", "event handled", "payments.checked", id, ["wallet.debit.requested"]],
        ["wallet-service", "event handled", "wallet.debit.requested", id, ["wallet.response"]],
        ["payment-service", "event handled", "wallet.response", id, []],
      ]
        .map(String)
        .sort(),
    );

    child.kill("SIGTERM");
    await ended;
    const names = ["http", "payments-platform", ...MODULES.map(({ service }) => service)];
    expect(lines().filter(({ level }) => level !== "debug" && level !== "info")).toEqual([]);
    for (const line of lines()) {
      expect(line).toMatchObject({
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        message: expect.any(String),
      });
      expect(names).toContain(line["service"]);
    }
    expect(lines().length).toBeGreaterThan(10);
  } finally {
    child.kill("SIGKILL");
    await ended;
    await platform.close();
  }
});
