import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { CoreError } from "../core_errors.js";

interface Path {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Tells what is wrong with a request that no endpoint takes: its path, or its method alone. */
export class UnknownRoute {
  readonly #paths = new Map<string, Path>();

  /** @param server whose endpoints are still to be added */
  constructor(server: FastifyInstance) {
    server.addHook("onRoute", ({ url, method }) => this.#add(url, [method].flat()));
  }

  #add(url: string, methods: readonly string[]): void {
    const path = this.#paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    this.#paths.set(url, path);
    for (const method of methods) {
      path.methods.add(method);
    }
  }

  /** @param hint where those are that there are. @throws CoreError METHOD_UNSUPPORTED, with Allow set; ROUTE_UNKNOWN */
  refuse({ url }: FastifyRequest, reply: FastifyReply, hint: string): never {
    const [asked = ""] = url.split("?", 1);
    const paths = [...this.#paths.values()].filter(({ pattern }) => pattern.test(asked));
    if (paths.length === 0) {
      throw new CoreError("ROUTE_UNKNOWN", "There is no such endpoint here.", { hint });
    }
    const methods = new Set(paths.flatMap((path) => [...path.methods]));
    reply.header("allow", [...methods].sort().join(", "));
    throw new CoreError("METHOD_UNSUPPORTED", "The endpoint has no such method.", {
      hint: "Allow names those that it has.",
    });
  }
}

/** Of a path with parameters such as `/wallets/:id`, with and without a slash at its end. */
const patternOf = (path: string) =>
  new RegExp(`^${path.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/:\w+/g, "[^/]+")}/?$`);
