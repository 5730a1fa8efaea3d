import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest, preValidationHookHandler } from "fastify";
import type { Registry } from "prom-client";
import { CoreError } from "../core_errors.js";
import { findCardData } from "../domain/card_data.js";
import { codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { takeJson, takeOthers } from "./body.js";
import { addDocs } from "./docs.js";
import { Gate, type GateSettings } from "./gate.js";
import { describeApi } from "./openapi.js";
import type { Route } from "./route.js";
import type { UnknownRoute } from "./unknown_route.js";

export interface Api {
  /** Of the platform, for the OpenAPI document. */
  readonly version: string;
  readonly routes: readonly Route[];
  /** Those that the OpenAPI document has. Default: what runs here. */
  readonly described?: () => readonly Route[];
  readonly settings: GateSettings;
}

declare module "fastify" {
  interface FastifyInstance {
    /** Refuses what comes; resolves when no request of the API is in flight. */
    drain?: () => Promise<void>;
  }
}

/** Of what belongs to no module. */
const SERVICE = "http";

export interface ApiSurroundings {
  readonly registry: Registry;
  readonly logger: Logger;
  readonly unknown: UnknownRoute;
}

/** @throws CoreError SETTINGS_INVALID, or MODULE_INVALID when two routes want one method and path. */
export async function addApi(
  server: FastifyInstance,
  api: Api,
  { registry, logger, unknown }: ApiSurroundings,
): Promise<void> {
  const gate = new Gate(api.settings, registry, logger);
  server.decorate("drain", () => gate.drain());
  takeJson(server);
  const refuse = async (request: FastifyRequest, reply: FastifyReply) => {
    // A page asks before it asks; Gate has answered in the headers.
    if (request.method === "OPTIONS" && reply.hasHeader("access-control-allow-methods")) {
      return reply.code(204).send();
    }
    return unknown.refuse(request, reply, "/openapi.json has all that there are.");
  };
  // In a context of its own, for its hooks: the handler would be asked after the body was read.
  await server.register(async (at) => {
    at.addHook("onRequest", gate.at({ service: SERVICE, route: "unknown" }));
    at.addHook("onRequest", refuse);
    at.setNotFoundHandler(refuse);
  });
  for (const route of api.routes) {
    await addRoute(server, route, gate);
  }
  const { version, routes, described = () => routes } = api;
  let document: Promise<string> | undefined;
  addDocs(server, gate.at({ service: SERVICE, route: "docs" }), () => {
    document ??= describeApi(version, described());
    return document;
  });
}

async function addRoute(server: FastifyInstance, route: Route, gate: Gate): Promise<void> {
  const { method, path, request = {}, handle, bodies, service = SERVICE, poolQueue, vary } = route;
  const bodyLimit = route.bodyLimitBytes ?? server.initialConfig.bodyLimit ?? 0;
  const { params, query, body } = request;
  const schema = {
    ...(params === undefined ? {} : { params }),
    ...(query === undefined ? {} : { querystring: query }),
    ...(body === undefined ? {} : { body }),
  };
  const own = async (at: FastifyInstance) => {
    takeOthers(at, bodies ?? {}, bodyLimit);
    at.route({
      ...{ method, url: path, schema, bodyLimit, handler: handle },
      onRequest: gate.at({ service, route: path, poolQueue, vary, bodyLimitBytes: route.bodyLimitBytes }),
      ...(route.cardData === "module" ? {} : { preValidation: refuseCards }),
    });
  };
  try {
    // In a context of its own where it takes bodies that others refuse.
    await (bodies === undefined ? own(server) : server.register(own));
  } catch (error) {
    // Also for names of parameters that differ: /wallets/:id and /wallets/:name are one path.
    if (codeOf(error) !== "FST_ERR_DUPLICATED_ROUTE") {
      throw error;
    }
    throw new CoreError("MODULE_INVALID", `two routes want ${method} ${path}.`, { cause: error });
  }
}

/** Before anything logs or stores what came. Bytes and streams their module looks into. */
const refuseCards: preValidationHookHandler = (request, _, done) => {
  const { body } = request;
  const opaque = Buffer.isBuffer(body) || body instanceof Readable;
  const inBody = opaque || body === undefined ? undefined : findCardData(body);
  const pointer = inBody ?? (hasQuery(request) ? findCardData(request.query) : undefined);
  if (pointer === undefined) {
    done();
    return;
  }
  const field = { in: inBody === undefined ? "query" : "body", pointer: `#${pointer}` } as const;
  const hint = "Send the card's token in its place.";
  done(
    new CoreError("CARD_DATA_REFUSED", "No card number or CVV is taken, and there is one.", { field, hint }),
  );
};

const hasQuery = ({ url }: FastifyRequest) => url.includes("?");
