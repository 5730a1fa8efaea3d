import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What a request is made of, each part by its schema; a part without one is empty. */
export interface RequestSchemas {
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

export interface RouteRequest<Schemas extends RequestSchemas> {
  readonly params: Parsed<Schemas["params"]>;
  readonly query: Parsed<Schemas["query"]>;
  readonly body: Parsed<Schemas["body"]>;
  readonly raw: FastifyRequest;
}

/** A status and its body; `headers` beside it where there are any. */
export interface Answer<Body = unknown> {
  readonly status: number;
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
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
  readonly handle: (request: RouteRequest<Schemas>) => Promise<Answer>;
}

/** A route as the server takes it, whatever its types. */
export interface Route extends Omit<RouteDefinition, "handle"> {
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

/** Gives the handler the types of its schemas. */
export function defineRoute<const Schemas extends RequestSchemas>(
  definition: RouteDefinition<Schemas>,
): Route {
  return {
    ...definition,
    handle: async (raw, reply) => {
      const { params, query, body } = raw;
      const answer = await definition.handle({ params, query, body, raw } as RouteRequest<Schemas>);
      reply.code(answer.status).headers(answer.headers ?? {});
      return answer.body;
    },
  };
}
