import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { PlatformError } from "../errors.js";
import { type Answer, type SentAnswer, type StreamedAnswer, sentAnswer, sentProblem } from "./answer.js";
import type { BodyKind } from "./body.js";
import { type IdempotentRequest, whileInFlight } from "./idempotency.js";
import { type IdempotencyKey, type KeyPolicy, readKey } from "./idempotency_key.js";
import type { PoolQueue } from "./load.js";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What a request is made of, each part by its schema; a part without one is empty. */
export interface RequestSchemas {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface RouteRequest<Schemas extends RequestSchemas> extends IdempotentRequest {
  readonly params: Parsed<Schemas["params"]>;
  readonly query: Parsed<Schemas["query"]>;
  readonly body: Parsed<Schemas["body"]>;
  /** 32 hex digits. */
  readonly traceId: string;
  /** Header of the messages that this request causes. */
  readonly traceparent: string;
  /** Name of the caller's API key. */
  readonly principal: string;
  /** Fires when the process takes no more requests: who only waits for something answers with what there is. */
  readonly ending: AbortSignal;
  /** With `principal`, `headers`, `log`, a body of another kind than JSON. */
  readonly raw: FastifyRequest;
}

/** An endpoint: what it takes, what it answers by status, and the function between the two. */
export interface RouteDefinition<Schemas extends RequestSchemas = RequestSchemas> {
  readonly method: Method;
  /** Answers with and without a slash at its end. */
  readonly path: `/${string}`;
  readonly summary: string;
  readonly request?: Schemas;
  /** By status; refusals are problems and need no entry. An answer that does not fit its schema is our bug: 500. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  /** Takes an Idempotency-Key; the handler hands its request to `withIdempotency`, and is called again while the key is in flight. */
  readonly idempotency?: KeyPolicy;
  /** The request header that its answers hang on, said in `Vary` of all of them, refusals too. */
  readonly vary?: string;
  /** Of the body. Default: 256 KiB. */
  readonly bodyLimitBytes?: number;
  /** Content types that it takes besides JSON, or JSON otherwise than parsed; `raw.body` is then a string, a Buffer or a Readable. */
  readonly bodies?: Readonly<Record<string, BodyKind>>;
  /** What the document says of a body that `bodies` gives unread; the module checks it. */
  readonly bodyShape?: z.ZodType;
  /** The header in which another system signs its requests; the module checks it. */
  readonly signedBy?: string;
  /** `module`: the module looks for card data itself, since it masks what others refuse. Default: refuse. */
  readonly cardData?: "refuse" | "module";
  readonly handle: (request: RouteRequest<Schemas>) => Promise<Answer | SentAnswer | StreamedAnswer>;
}

/** A route as the server takes it, whatever its types. */
export interface Route extends Omit<RouteDefinition, "handle"> {
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
  /** Whose it is; `payments serve` says so. */
  readonly service?: string;
  readonly poolQueue?: PoolQueue | undefined;
}

/** Gives the handler the types of its schemas. */
export function defineRoute<const Schemas extends RequestSchemas>(
  definition: RouteDefinition<Schemas>,
): Route {
  return {
    ...definition,
    handle: async (raw, reply) => {
      const request = new HandledRequest(raw, definition) as unknown as RouteRequest<Schemas>;
      const answer = await whileInFlight(() => definition.handle(request));
      const { status, headers, ...sent } = "body" in answer ? sentAnswer(definition.answers, answer) : answer;
      reply.code(status);
      for (const name in headers) {
        reply.header(name, headers[name]);
      }
      return reply.send("stream" in sent ? sent.stream : sent.text);
    },
  };
}

/** What a handler gets. A class: closures made for each request cost more. */
class HandledRequest implements IdempotentRequest {
  readonly raw: FastifyRequest;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly idempotency: IdempotencyKey | undefined;
  readonly #answers: RouteDefinition["answers"];

  /** @throws CoreError IDEMPOTENCY_KEY_INVALID */
  constructor(raw: FastifyRequest, route: Omit<RouteDefinition, "handle">) {
    this.raw = raw;
    this.params = raw.params;
    this.query = raw.query;
    this.body = raw.body;
    this.#answers = route.answers;
    const { method, path, idempotency: policy } = route;
    const key = policy === undefined ? undefined : readKey(raw.headers["idempotency-key"], policy);
    this.idempotency = key === undefined ? undefined : { scope: `${method} ${path} ${this.principal}`, key };
  }

  get traceId(): string {
    return this.raw.id;
  }

  get traceparent(): string {
    return this.raw.traceparent;
  }

  get principal(): string {
    return this.raw.principal;
  }

  get ending(): AbortSignal {
    return this.raw.ending;
  }

  send(answer: Answer | PlatformError): SentAnswer {
    return answer instanceof PlatformError
      ? sentProblem(answer, this.traceId)
      : sentAnswer(this.#answers, answer);
  }
}
