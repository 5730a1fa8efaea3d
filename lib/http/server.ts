import type { AddressInfo, Socket } from "node:net";
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { CoreError } from "../core_errors.js";
import { codeOf, messageOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { newTraceId, traceIdOf } from "../observability/trace.js";
import type { Part } from "../runtime/lifecycle.js";
import { within } from "../timing.js";
import { type Api, addApi } from "./api.js";
import { trustedProxies } from "./edge.js";
import { addOperations, type Operations } from "./operations.js";
import { PROBLEM_TYPE, problem, problemOf, problemText, retryAfterOf } from "./problem.js";
import { UnknownRoute } from "./unknown_route.js";
import { validatorCompiler } from "./validation.js";

/** An event may have 256 KiB; routes that take batches say otherwise. */
const BODY_LIMIT_BYTES = 256 * 1024;
/** A client that does not send its request is not waited for. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Above the idle time of a proxy before us (4 s in HAProxy), else it writes into a connection that we are closing. */
const KEEP_ALIVE_MS = 72_000;
/** The longest id in a path is a reference of 255 characters. */
const MAX_PARAM_LENGTH = 300;
/** Statements of a request have 5 s. Whoever waits longer is cut off. */
export const DRAIN_MS = 10_000;

export interface HttpOptions {
  readonly operations: Operations;
  readonly logger: Logger;
  /** Without one it answers only what machines ask. */
  readonly api?: Api;
}

/** The server before it listens, which is what tests ask with `inject`. Refusals are problems (RFC 9457). */
export async function createHttpServer({ operations, logger, api }: HttpOptions): Promise<FastifyInstance> {
  const server = fastify({
    loggerInstance: logger.child({ service: "http" }) as FastifyBaseLogger,
    // Who logs a request names its trace: a logger for each request costs more than all the rest of its logging.
    childLoggerFactory: (parent) => parent,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // After the drain: one on which nothing was asked yet, as browsers and pools open them, would hold up the end for a minute.
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
    genReqId: (request) => traceIdOf(request.headers["traceparent"]) ?? newTraceId(),
    logController: new LogController({ disableRequestLogging: true }),
    // Of a request that came through one of them `ip` is the client's.
    trustProxy: api === undefined ? false : [...trustedProxies(api.settings)],
    // Node's and fastify's own answers are no problems (RFC 9457).
    http: { requireHostHeader: false },
    return503OnClosing: false,
    clientErrorHandler: answerBrokenHttp,
    frameworkErrors: refuse,
  });
  for (const field of ["failure", "traceparent", "principal", "ending"]) {
    server.decorateRequest(field, undefined);
  }
  server.decorateRequest("waitedMs", () => 0);
  server.setValidatorCompiler(validatorCompiler);
  server.setErrorHandler(refuse);
  const unknown = new UnknownRoute(server);
  addOperations(server, operations);
  if (api === undefined) {
    server.setNotFoundHandler((request, reply) =>
      unknown.refuse(request, reply, "There are /metrics, /healthz and /readyz."),
    );
  } else {
    await addApi(server, api, { registry: operations.registry, logger, unknown });
  }
  return server;
}

function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = problemOf(error, request.id);
  request.failure = { code: answer.code, error };
  // Gate logs what it lets in; this is what machines ask.
  if (request.traceparent === undefined && answer.status >= 500) {
    request.log.error({ trace_id: request.id, code: codeOf(error), err: error }, messageOf(error));
  }
  if (answer.status === 401) {
    reply.header("www-authenticate", 'Bearer realm="payments"');
  }
  const retryAfter = retryAfterOf(answer);
  if (retryAfter !== undefined && !reply.hasHeader("retry-after")) {
    reply.header("retry-after", retryAfter);
  }
  return reply.code(answer.status).type(PROBLEM_TYPE).send(problemText(answer));
}

const BROKEN_HTTP: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "The headers are too large."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request did not come within its time."],
};

/** What is no HTTP never becomes a request: its answer is written by hand. */
function answerBrokenHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = BROKEN_HTTP[error.code ?? ""] ?? [400, "This is not HTTP."];
  // Late also by the clock of a process that was frozen meanwhile: nothing was done, so the same request may come again.
  const retryable = status === 408;
  const answer = problem({ status, code: "MESSAGE_MALFORMED", detail, traceId: newTraceId(), retryable });
  const text = problemText(answer);
  const head = [
    `HTTP/1.1 ${status} ${answer.title}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(text)}`,
    "Connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`);
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
    drain: async () => {
      const late = () => new Error("requests that did not end");
      await within(DRAIN_MS, server.drain?.() ?? Promise.resolve(), late).catch((error: unknown) =>
        server.log.warn(`stopping in spite of ${messageOf(error)}`),
      );
    },
    stop: () => server.close(),
    port: () => (server.server.address() as AddressInfo | null)?.port ?? 0,
  };
}
