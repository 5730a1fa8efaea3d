import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import type { Dependencies } from "../runtime/lifecycle.js";
import type { ReplicaState } from "../runtime/replicas.js";
import { healthOf } from "./health.js";

export interface Operations {
  readonly registry: Registry;
  /** What the process needs before it can take work, and how it stands with each. */
  readonly dependencies: () => Promise<Dependencies>;
  /** Read replicas, without which nothing lacks. */
  readonly replicas: () => readonly ReplicaState[];
  /** Of the dependencies: without one of these nothing works. Without another it works less well. */
  readonly critical: readonly string[];
  /** Fires when the process is told to end. It still serves then, for as long as proxies take to notice (HTTP_DRAIN_MS). */
  readonly ending: AbortSignal;
}

/** How the document describes them, each by path with what it answers in. */
export const OPERATIONS: Readonly<Record<string, { readonly summary: string; readonly type: string }>> = {
  "/livez": { summary: "Whether the process turns", type: "text/plain" },
  "/healthz": { summary: "The same", type: "text/plain" },
  "/readyz": { summary: "Whether all that it needs is up", type: "application/json" },
  "/health": { summary: "How it is, in short", type: "application/json" },
  "/metrics": { summary: "What it counts, for Prometheus", type: "text/plain" },
  "/openapi.json": { summary: "All endpoints, as OpenAPI describes them", type: "application/json" },
  "/docs": { summary: "The same, for people", type: "text/html" },
};

/**
 * What machines ask a process: /livez and /healthz (200 as long as it turns; asks nothing, so that an outage does not make
 * an orchestrator restart what is healthy), /readyz (200 when every dependency is up, else 503), /health (a summary for people
 * and load balancers) and /metrics (Prometheus). Read-only and without secrets, so they need no key.
 *
 * Of a process that ends /readyz is 503, and /livez, which proxies check, is 404: HAProxy's `disable-on-404` then sends it nothing
 * new and cuts nothing that it is at, as it does with one that fails its checks.
 */
export function addOperations(server: FastifyInstance, operations: Operations): void {
  const { registry, dependencies, replicas, critical, ending } = operations;
  const shown = () => (replicas().length > 0 ? { replicas: replicas() } : {});
  const hidden = { schema: { hide: true } } as const;
  server.get("/healthz", hidden, async () => "ok\n");

  server.get("/livez", hidden, async (_, reply) => {
    reply.code(ending.aborted ? 404 : 200);
    return ending.aborted ? "draining\n" : "ok\n";
  });

  server.get("/readyz", hidden, async (_, reply) => {
    const states = await dependencies();
    const draining = ending.aborted;
    const ready = !draining && Object.values(states).every((state) => state === "up");
    reply.code(ready ? 200 : 503);
    return { ready, ...(draining ? { draining } : {}), dependencies: states, ...shown() };
  });

  server.get("/health", hidden, async (_, reply) => {
    const { status, body } = healthOf(await dependencies(), critical);
    reply.code(status);
    return { ...body, ...shown() };
  });

  server.get("/metrics", hidden, async (_, reply) => {
    // Its content type names the format's version; Prometheus 3 refuses to guess.
    reply.type(registry.contentType);
    return registry.metrics();
  });
}
