import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Backend } from "./harness/backend.js";
import { eventually } from "./harness/eventually.js";
import { type Gateway, openDoor, openGateway } from "./harness/haproxy.js";

/** Of the others the second process is down. */
const OTHERS = [
  "wallet",
  "metrics",
  "payouts",
  "campaigns",
  "collector",
  "reports",
  "monitor",
  "ingest",
] as const;

let backends: Record<"payments1" | "payments2" | `${(typeof OTHERS)[number]}1`, Backend>;
let gateway: Gateway;

beforeEach(async () => {
  const names = ["payments 1", "payments 2", ...OTHERS.map((name) => `${name} 1`)];
  const made = names.map((name) => [name, new Backend(name)] as const);
  backends = Object.fromEntries(
    made.map(([name, backend]) => [name.replace(" ", ""), backend]),
  ) as typeof backends;
  const ports = made.map(async ([name, backend]) => [
    name.replace(" ", "_").toUpperCase(),
    await backend.open(),
  ]);
  gateway = await openGateway(Object.fromEntries(await Promise.all(ports)));
  // What was marked down at the start: nobody is asked in vain.
  await eventually("all backends up", async () => (await text("/payments")).startsWith("payments"));
});
afterEach(async () => {
  await gateway?.close();
  for (const backend of Object.values(backends)) {
    backend.close();
  }
});

const ask = (path: string, init: RequestInit = {}) => fetch(`${gateway.url}${path}`, init);
const text = async (path: string) => (await ask(path)).text();
const post = (headers: Record<string, string> = {}) =>
  ask("/payments", { method: "POST", body: "{}", headers });

/** Both processes of payments die under the next request, so often; then they answer. */
function dying(times: number): () => number {
  let deaths = 0;
  let asked = 0;
  for (const backend of [backends.payments1, backends.payments2]) {
    backend.answer = (request, response) => {
      asked += 1;
      if (deaths < times) {
        deaths += 1;
        request.socket.destroy();
      } else {
        response.end(backend.name);
      }
    };
  }
  return () => asked;
}

test("a path goes to the service that answers it", async () => {
  const answered: readonly (readonly [by: string, ...paths: string[]])[] = [
    ["wallet 1", "/wallets", "/wallets/refund"],
    ["metrics 1", "/metrics"],
    ["payouts 1", "/pagos", "/pagos?estado=EXITOSO", "/pagos/webhooks/stripe"],
    ["campaigns 1", "/campaigns", "/campaigns/1/metrics"],
    ["collector 1", "/event-collector/events", "/event-collector/health"],
    ["reports 1", "/api/reports/payments", "/api/reports/version"],
    ["monitor 1", "/api/monitor/windows", "/api/monitor/windows/sweep"],
    ["ingest 1", "/api/v1/events", "/api/v1/metrics/summary"],
  ];
  for (const [by, ...paths] of answered) {
    expect(await Promise.all(paths.map(text))).toEqual(paths.map(() => by));
  }
  const others = ["/payments", "/payments/1/timeline", "/health", "/openapi.json", "/walletsx", "/pagosx"];
  for (const path of others) {
    expect(await text(path)).toMatch(/^payments [12]$/);
  }
});

test("a POST without a key is asked once, whatever becomes of its answer", async () => {
  const asked = dying(1);
  // On a connection that has served before HAProxy tells it by closing that.
  const status = await post().then(
    (answer) => answer.status,
    () => 502,
  );
  expect([status, asked()]).toEqual([502, 1]);
});

test.each<[string, () => Promise<Response>]>([
  ["POST with an Idempotency-Key", () => post({ "idempotency-key": "k" })],
  ["GET", () => ask("/payments")],
])("a %s whose process dies is asked again", async (_, request) => {
  const asked = dying(2);
  const answer = await request();
  expect([answer.status, asked()]).toEqual([200, 3]);
});

test("a process that hangs costs a POST with a key some seconds, and no more; a connection without a request ends without a word", async () => {
  const silent = connect(Number(new URL(gateway.url).port), "127.0.0.1");
  const heard: Buffer[] = [];
  silent.on("data", (data: Buffer) => heard.push(data));
  const closed = once(silent, "close");
  backends.payments1.answer = () => undefined;
  const answers = await Promise.all(["a", "b", "c", "d"].map((key) => post({ "idempotency-key": key })));
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(Array(4).fill("payments 2"));
  await closed;
  expect(Buffer.concat(heard).toString()).toBe("");
});

test("a process that ends is left out before anybody notices", async () => {
  backends.payments1.close();
  const statuses = await Promise.all(Array.from({ length: 20 }, () => post().then(({ status }) => status)));
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(backends.payments2.asked).toContain("POST /payments");
});

test("in containers a path goes to its service's own, with the key, and where there is none to those that run all", async () => {
  const servers: Server[] = [];
  const container = (name: string) => {
    const server = createServer((request, response) => {
      response.end(request.url === "/readyz" ? "" : `${name} ${request.headers["x-api-key"]}`);
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    return once(server, "listening").then(() => (server.address() as AddressInfo).port);
  };
  const [services, wallet] = [await container("services"), await container("wallet")];
  for (const [ports, expected] of [
    [{ services }, ["services key", "services key", "services key"]],
    [{ services, wallet }, ["services key", "wallet key", "services key"]],
  ] as const) {
    const door = await openDoor(ports);
    const answers = () =>
      Promise.all(
        ["/payments/1", "/wallets/refund", "/metrics"].map((path) =>
          fetch(`${door.url}${path}`).then((answer) => answer.text()),
        ),
      );
    await eventually(`${Object.keys(ports)} asked`, async () => (await answers()).join() === expected.join());
    await door.close();
  }
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});
