import { expect, it } from "vitest";
import { silentLogger } from "../observability/log.js";
import { Metrics } from "../observability/metrics.js";
import { type Dependencies, type Endpoint, serveEndpoint } from "./ops_server.js";

async function served(
  dependencies: () => Promise<Dependencies>,
  work: (get: (path: string, init?: RequestInit) => Promise<Response>, endpoint: Endpoint) => Promise<void>,
): Promise<void> {
  const { registry } = new Metrics({ version: "1.2.3" });
  const options = { host: "127.0.0.1", port: 0, registry, dependencies, logger: silentLogger };
  const endpoint = await serveEndpoint(options);
  if (endpoint === undefined) throw new Error("no port");
  try {
    await work((path, init) => fetch(`http://127.0.0.1:${endpoint.port}${path}`, init), endpoint);
  } finally {
    await endpoint.close();
  }
}

const allUp = async () => ({ postgres: "up", rabbitmq: "up" }) as const;

it("serves metrics in the format that Prometheus 3 insists on", () =>
  served(allUp, async (get) => {
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toContain('payments_build_info{version="1.2.3"');
  }));

it("is healthy while it is not ready, and says what is missing", () =>
  served(
    async () => ({ postgres: "down", rabbitmq: "up" }),
    async (get) => {
      expect((await get("/healthz")).status).toBe(200);
      const response = await get("/readyz");
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({
        ready: false,
        dependencies: { postgres: "down", rabbitmq: "up" },
      });
    },
  ));

it("is ready when all is up", () =>
  served(allUp, async (get) => {
    expect((await get("/readyz?verbose")).status).toBe(200);
  }));

it("answers nothing else, and outlives a question that fails", () =>
  served(
    () => Promise.reject(new Error("boom")),
    async (get) => {
      expect((await get("/")).status).toBe(404);
      expect((await get("/metrics", { method: "POST" })).status).toBe(405);
      const failed = await get("/readyz");
      expect([failed.status, await failed.text()]).toEqual([500, "see the log\n"]);
      expect((await get("/healthz")).status).toBe(200);
    },
  ));

it("goes without when the port is taken", () =>
  served(allUp, async (_get, { port }) => {
    const { registry } = new Metrics();
    const options = { host: "127.0.0.1", port, registry, dependencies: allUp, logger: silentLogger };
    expect(await serveEndpoint(options)).toBeUndefined();
  }));
