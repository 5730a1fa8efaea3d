import type { AddressInfo } from "node:net";
import swagger from "@fastify/swagger";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  LogController,
} from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import { CoreError } from "../core_errors.js";
import { codeOf, messageOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { newTraceId, traceIdOf } from "../observability/trace.js";
import type { Part } from "../runtime/lifecycle.js";
import { readJsonBodies } from "./json_body.js";
import { addOperations, type Operations } from "./operations.js";
import { type Problem, problem, problemOf } from "./problem.js";
import type { Route } from "./route.js";

/** An event may have 256 KiB; routes that take batches say otherwise. */
const BODY_LIMIT_BYTES = 256 * 1024;
/** A client that does not send its request is not waited for. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Above the idle time of a proxy before us (4 s in HAProxy), else it writes into a connection that we are closing. */
const KEEP_ALIVE_MS = 72_000;

export interface HttpOptions {
  readonly version: string;
  readonly routes: readonly Route[];
  readonly operations: Operations;
  readonly logger: Logger;
}

/** The server before it listens, which is what tests ask with `inject`. Refusals are problems (RFC 9457). */
export async function createHttpServer(options: HttpOptions): Promise<FastifyInstance> {
  const { logger } = options;
  const server = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    routerOptions: { ignoreTrailingSlash: true },
    genReqId: (request) => traceIdOf(request.headers["traceparent"]) ?? newTraceId(),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "trace_id" }),
  });
  readJsonBodies(server);
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler((error, request, reply) => {
    const answer = problemOf(error, request.id);
    if (answer.status >= 500) {
      const details = { code: codeOf(error), err: error, route: request.routeOptions.url };
      request.log.error(details, messageOf(error));
    }
    return refuse(reply, answer);
  });
  server.setNotFoundHandler((request, reply) => {
    const asked = `${request.method} ${request.url.split("?")[0]}`;
    const detail = `There is no ${asked}; of operations there are /metrics, /healthz and /readyz.`;
    return refuse(reply, problem({ status: 404, code: "ROUTE_UNKNOWN", detail }, request.id));
  });
  await server.register(swagger, {
    openapi: { openapi: "3.1.0", info: { title: "payments-platform", version: options.version } },
    transform: jsonSchemaTransform,
  });
  addOperations(server, options.operations);
  server.get("/openapi.json", { schema: { hide: true } }, async () => server.swagger());
  for (const route of options.routes) {
    addRoute(server, route);
  }
  return server;
}

function refuse(reply: FastifyReply, answer: Problem): FastifyReply {
  const text = `${JSON.stringify(answer)}\n`;
  return reply.code(answer.status).type("application/problem+json").send(text);
}

/** @throws CoreError MODULE_INVALID when two routes want one method and path. */
function addRoute(server: FastifyInstance, route: Route): void {
  const { method, path, summary, request = {}, answers, handle } = route;
  const { query: querystring, ...parts } = request;
  const schema = { summary, ...parts, ...(querystring && { querystring }), response: answers };
  try {
    server.route({ method, url: path, schema, handler: handle });
  } catch (error) {
    // Also for names of parameters that differ: /wallets/:id and /wallets/:name are one path.
    if (codeOf(error) !== "FST_ERR_DUPLICATED_ROUTE") {
      throw error;
    }
    throw new CoreError("MODULE_INVALID", `two routes want ${method} ${path}.`, { cause: error });
  }
}

export interface Listening {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** The server as a part of a process; the port that it got is told once it has started. */
export function httpPart(
  server: FastifyInstance,
  { host, port }: Listening,
): Part & { readonly port: () => number } {
  return {
    name: "http",
    start: async () => {
      try {
        await server.listen({ host, port });
      } catch (error) {
        if (codeOf(error) !== "EADDRINUSE") {
          throw error;
        }
        throw new CoreError("PORT_TAKEN", `something listens on ${host}:${port} already.`, { cause: error });
      }
    },
    stop: () => server.close(),
    port: () => (server.server.address() as AddressInfo | null)?.port ?? 0,
  };
}
