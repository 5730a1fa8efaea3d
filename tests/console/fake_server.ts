import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { extname, join } from "node:path";
import { z } from "zod";
import { packageRoot } from "../../lib/root.js";
import { BODIES, ENDPOINTS, overview } from "./fixtures.js";

const BUILT = join(packageRoot, "dist/console");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** As the module console sends it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** What most questions are asked with. */
const NOTHING = z.strictObject({});

interface Answer {
  readonly status: number;
  readonly body: unknown;
}
/** A request that does something, as it came. */
interface Post {
  readonly path: string;
  readonly key: string | undefined;
  readonly body: Record<string, unknown>;
}

/** A console's server that says what the test wants: answers by path, a stream that is fed by hand, outages. */
export class FakeServer {
  readonly posts: Post[] = [];
  /** What each connection of the stream had as its last id. */
  readonly lastIds: (string | undefined)[] = [];
  /** GETs by path without their query. */
  readonly asked: string[] = [];
  /** Questions and bodies that no contract takes: a real server would refuse them. */
  readonly #misfits: string[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #streams = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #away: Answer | undefined;
  #full: Answer | undefined;
  #sequence = overview.sequence;

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  async start(): Promise<this> {
    this.fill("full");
    const server = createServer((request, response) => void this.#handle(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /**
   * Connections are cut, new ones refused; `start` takes the same port again.
   *
   * @throws Error when it was asked something that fits no contract
   */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await closed;
    if (this.#misfits.length > 0) {
      throw new Error(`The page has sent what no contract takes: ${this.#misfits.join("; ")}`);
    }
  }

  /** Each endpoint with data, or with none. */
  fill(which: "full" | "empty"): void {
    this.#away = undefined;
    this.#full = undefined;
    for (const endpoint of ENDPOINTS) {
      this.#answers.set(`GET ${endpoint.path}`, {
        status: 200,
        body: endpoint.schema.parse(endpoint[which]),
      });
    }
  }

  /** @param what method and path: `POST letters/replay` */
  answer(what: string, body: unknown, status = 200): void {
    this.#answers.set(what, { status, body });
  }

  /** Every question but `me` is refused, as when PostgreSQL is away. */
  refuse(status: number, code: string): void {
    this.#away = {
      status,
      body: problem(status, code, "A server that this needs is away. Try again later."),
    };
  }

  /** New streams alone, as when too many pages are open. */
  refuseStreams(status: number, code: string): void {
    this.#full = { status, body: problem(status, code, "Too many pages are open.") };
  }

  /** To all streams. */
  say(event: string, data: unknown, id?: number): void {
    const text = `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of this.#streams) {
      stream.write(text);
    }
  }

  /** A newer overview. @returns its id */
  tell(change: object = {}): number {
    this.#sequence += 1;
    const { body } = this.#answers.get("GET overview") as { body: typeof overview };
    const as_of = new Date(Date.UTC(2026, 10, 27, 1, 0, this.#sequence)).toISOString();
    const point = { ...body.point, at: as_of };
    this.say("overview", { ...body, as_of, point, ...change, sequence: this.#sequence }, this.#sequence);
    return this.#sequence;
  }

  cutStreams(): void {
    for (const stream of this.#streams) {
      stream.destroy();
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", this.origin);
    if (pathname === "/console/stream") {
      this.#follow(request, response);
    } else if (pathname.startsWith("/console/api/")) {
      const path = decodeURIComponent(pathname.slice("/console/api/".length));
      await this.#api(request, response, path, Object.fromEntries(searchParams));
    } else {
      serveFile(response, pathname === "/" ? "/index.html" : pathname);
    }
  }

  #follow(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#away ?? this.#full;
    if (refusal !== undefined) {
      send(response, refusal);
      return;
    }
    const lastId = request.headers["last-event-id"];
    this.lastIds.push(lastId === undefined ? undefined : String(lastId));
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    this.#streams.add(response);
    response.once("close", () => this.#streams.delete(response));
    const { body } = this.#answers.get("GET overview") as { body: object };
    response.write(
      `retry: 2000\n\nid: ${this.#sequence}\nevent: overview\ndata: ${JSON.stringify(body)}\n\n`,
    );
  }

  async #api(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: Record<string, string>,
  ): Promise<void> {
    const { method = "GET" } = request;
    const known = this.#answers.get(`${method} ${path}`);
    if (method === "GET") {
      this.asked.push(path);
      this.#fits(path, ENDPOINTS.find((endpoint) => endpoint.path === path)?.query ?? NOTHING, query);
    } else {
      const key = request.headers["idempotency-key"];
      const body = await bodyOf(request);
      this.posts.push({ path, body, key: key === undefined ? undefined : String(key) });
      if (method === "POST" && known !== undefined && known.status < 400) {
        this.#fits(path, BODIES.find(([pattern]) => pattern.test(path))?.[1] ?? NOTHING, body);
      }
    }
    const missing = { status: 404, body: problem(404, "NOT_FOUND", `There is no ${path}.`) };
    send(response, (path !== "me" && this.#away) || known || missing);
  }

  #fits(path: string, schema: z.ZodType, sent: object): void {
    const { error } = schema.safeParse(sent);
    if (error !== undefined) {
      this.#misfits.push(`${path} ${JSON.stringify(sent)}: ${error.message}`);
    }
  }
}

export const problem = (status: number, code: string, detail: string) => ({
  type: `urn:payments:problem:${code.toLowerCase()}`,
  title: code,
  status,
  detail,
  code,
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  retryable: status >= 500,
});

function send(response: ServerResponse, { status, body }: Answer): void {
  const type = status < 400 ? "application/json; charset=utf-8" : "application/problem+json";
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(JSON.stringify(body));
}

function serveFile(response: ServerResponse, path: string): void {
  const file = join(BUILT, path);
  const type = TYPES[extname(path)];
  if (type === undefined || !existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response
    .writeHead(200, { "content-type": type, "content-security-policy": POLICY })
    .end(readFileSync(file));
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = [];
  for await (const piece of request) {
    pieces.push(piece as Buffer);
  }
  const text = Buffer.concat(pieces).toString();
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}
