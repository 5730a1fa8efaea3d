import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { codeOf, messageOf } from "../errors.js";
import type { Logger } from "../observability/log.js";

/** What a process needs before it can take work, and how it stands with each. */
export type Dependencies = Readonly<Record<string, "up" | "down">>;

export interface EndpointOptions {
  readonly host: string;
  /** 0: any free one, for tests. */
  readonly port: number;
  readonly registry: Registry;
  readonly dependencies: () => Promise<Dependencies>;
  readonly logger: Logger;
}

export interface Endpoint {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/**
 * Serves /metrics (Prometheus), /healthz (200 as long as the process turns) and /readyz (200 when every dependency is up, else
 * 503; a JSON object names each with its state). Read-only and without secrets, so without a password: bind it to
 * loopback, or to a network of your own.
 *
 * @returns undefined when the port cannot be had: work matters more than being watched, so that is a warning.
 */
export async function serveEndpoint(options: EndpointOptions): Promise<Endpoint | undefined> {
  const { host, logger } = options;
  const server = createServer(async (request, response) => {
    try {
      if (request.method !== "GET" && request.method !== "HEAD") return send(response, 405, "only GET\n");
      await answer(options, new URL(request.url ?? "/", "http://x").pathname, response);
    } catch (error) {
      logger.warn({ err: error }, `cannot answer ${request.url}: ${messageOf(error)}`);
      send(response, 500, "see the log\n");
    }
  });
  try {
    server.listen(options.port, host);
    await once(server, "listening");
  } catch (error) {
    const where = `${host}:${options.port}`;
    logger.warn({ code: codeOf(error) }, `no metrics: cannot listen on ${where}; set WORKER_METRICS_PORT`);
    return undefined;
  }
  // A connection that cannot be taken (no descriptor or memory left) is no reason to end.
  server.on("error", (error) => logger.warn({ code: codeOf(error) }, `metrics: ${messageOf(error)}`));
  // It answers as long as the process lives, and never keeps it alive.
  server.unref();
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, close };
}

async function answer(options: EndpointOptions, path: string, response: ServerResponse): Promise<void> {
  if (path === "/metrics") {
    // Its content type names the format's version; Prometheus 3 refuses to guess.
    send(response, 200, await options.registry.metrics(), options.registry.contentType);
  } else if (path === "/healthz") {
    send(response, 200, "ok\n");
  } else if (path === "/readyz") {
    const dependencies = await options.dependencies();
    const ready = Object.values(dependencies).every((state) => state === "up");
    const body = JSON.stringify({ ready, dependencies });
    send(response, ready ? 200 : 503, `${body}\n`, "application/json");
  } else {
    send(response, 404, "there are /metrics, /healthz and /readyz\n");
  }
}

function send(response: ServerResponse, status: number, body: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
}
