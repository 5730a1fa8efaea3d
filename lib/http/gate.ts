import type { FastifyReply, FastifyRequest, onRequestHookHandler } from "fastify";
import type { Registry } from "prom-client";
import { codeOf, messageOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { type Instruments, onScrape, register } from "../observability/registry.js";
import { traceparentOf } from "../observability/trace.js";
import { Edge, type EdgeSettings } from "./edge.js";
import { Load, type PoolQueue, type ShedReason } from "./load.js";
import { httpMetrics } from "./metrics.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Name of the API key that came with it. */
    principal: string;
    /** For what it causes: messages, calls to others. Undefined: it is none of the API. */
    traceparent: string;
    /** Fires when the process takes no more requests: who only waits for something answers with what there is. */
    ending: AbortSignal;
    /** How long its caller asked to be kept waiting: no part of how long it took. */
    waitedMs: () => number;
    /** What it was refused with, for its log line: the problem's code, and what was thrown. */
    failure: { readonly code: string; readonly error: unknown } | undefined;
  }
}

export interface GateSettings extends EdgeSettings {
  readonly HTTP_TRUSTED_PROXIES: string;
  readonly HTTP_MAX_IN_FLIGHT: number;
  readonly HTTP_MAX_POOL_QUEUE: number;
}

/** Whose endpoint it is, for labels, log lines and shedding. */
export interface Place {
  readonly service: string;
  readonly route: string;
  readonly poolQueue?: PoolQueue | undefined;
  /** The request header that its answers hang on. */
  readonly vary?: string | undefined;
  /** Who it is the module asks. */
  readonly keyless?: boolean;
  /** Of a route that takes larger bodies than others. */
  readonly bodyLimitBytes?: number | undefined;
}

/** The caller went away before it was answered: no status of HTTP, but what proxies write. */
const CLOSED_BY_CALLER = 499;

/**
 * What every request of the API passes before its body is read: it is counted, refused when there is too much to do, let in by
 * Edge, and gets its trace. When its answer is out, or its caller gone, it is counted out, measured and logged on one line.
 */
export class Gate {
  readonly #load: Load;
  readonly #ending = new AbortController();
  readonly #edge: Edge;
  readonly #logger: Logger;
  readonly #metrics: Instruments<typeof httpMetrics>;

  /** @throws CoreError SETTINGS_INVALID */
  constructor(settings: GateSettings, registry: Registry, logger: Logger) {
    const { HTTP_MAX_IN_FLIGHT: maxInFlight, HTTP_MAX_POOL_QUEUE: maxPoolQueue } = settings;
    this.#edge = new Edge(settings);
    this.#load = new Load({ maxInFlight, maxPoolQueue });
    this.#logger = logger;
    this.#metrics = register(registry, httpMetrics);
    onScrape(this.#metrics.inFlight, () => this.#load.inFlight);
    for (const reason of ["in_flight", "pool", "bytes", "ending"] satisfies ShedReason[]) {
      this.#metrics.shed.inc({ reason }, 0);
    }
  }

  /** The hook of an endpoint. */
  at(place: Place): onRequestHookHandler {
    return (request, reply, done) => {
      try {
        this.admit(place, request, reply);
        done();
      } catch (error) {
        done(error as Error);
      }
    };
  }

  /** @throws CoreError OVERLOADED, or what Edge refuses. */
  admit(place: Place, request: FastifyRequest, reply: FastifyReply): void {
    const startedMs = performance.now();
    const bodyBytes = bodyBytesOf(place, request);
    reply.raw.on("close", () => {
      this.#load.leave(bodyBytes);
      this.#leave(place, request, reply, startedMs);
    });
    request.traceparent = traceparentOf(request.id);
    request.ending = this.#ending.signal;
    reply.header("traceparent", request.traceparent);
    if (place.vary !== undefined) {
      reply.header("vary", place.vary);
    }
    const shed = this.#load.enter(place.poolQueue, bodyBytes);
    if (shed !== undefined) {
      this.#metrics.shed.inc({ reason: shed });
      if (shed === "ending") {
        reply.header("connection", "close");
      }
      throw Load.refusal(shed);
    }
    const cors = this.#edge.corsOf(request.headers);
    if (cors !== undefined) {
      const vary = [place.vary, cors["vary"]].filter((name) => name !== undefined).join(", ");
      reply.headers({ ...cors, vary });
    }
    request.principal = this.#edge.admit(request.method, request.headers, place);
  }

  /** Refuses what comes, and has those answered who only wait. Resolves when nothing is in flight. */
  drain(): Promise<void> {
    this.#ending.abort();
    return this.#load.drain();
  }

  #leave({ service, route }: Place, request: FastifyRequest, reply: FastifyReply, startedMs: number): void {
    const ms = performance.now() - startedMs;
    const status = reply.raw.writableEnded ? reply.statusCode : CLOSED_BY_CALLER;
    const { method } = request;
    this.#metrics.requests.inc({ service, route, method, status });
    this.#metrics.seconds.observe({ service, route }, (ms - request.waitedMs()) / 1_000);
    this.#log(
      { trace_id: request.id, service, method, route, status, ms: Math.round(ms * 10) / 10 },
      request,
    );
  }

  /** Of errors all; what was served, shed or given up by its caller only for who debugs. */
  #log(
    line: { readonly status: number; readonly [field: string]: unknown },
    { failure }: FastifyRequest,
  ): void {
    const { status } = line;
    const code = failure?.code;
    const error = failure?.error;
    if (status < 400 || status === CLOSED_BY_CALLER || code === "OVERLOADED") {
      if (this.#logger.isLevelEnabled("debug")) {
        this.#logger.debug({ ...line, code }, "request");
      }
    } else if (status < 500) {
      this.#logger.info({ ...line, code }, "request refused");
    } else if (status === 503) {
      this.#logger.warn({ ...line, code, cause: codeOf(error) }, messageOf(error));
    } else {
      this.#logger.error({ ...line, code, err: error }, messageOf(error));
    }
  }
}

/** What its body will take, where it may be large; without a length it may be as large as the route takes. */
function bodyBytesOf({ bodyLimitBytes }: Place, { headers }: FastifyRequest): number {
  if (bodyLimitBytes === undefined) {
    return 0;
  }
  const length = Number(headers["content-length"]);
  return length <= bodyLimitBytes ? length : bodyLimitBytes;
}
