import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Book, Payout } from "./book.js";
import type { Cashier, Reply } from "./cashier.js";
import { errorObject, payoutObject } from "./stripe_format.js";

const LARGEST_FORM = 64 * 1_024;
const LARGEST_PAGE = 100;
/** Above the idle time of keep-alive agents. */
const KEEP_ALIVE_MS = 60_000;

/** Stripe's payouts over HTTP, and `GET /book`. Bare: it shares two cores with what it is there to try. */
export function simulatorServer(book: Book, cashier: Cashier): Server {
  const server = createServer((request, response) => {
    void answer(book, cashier, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  return server;
}

async function answer(
  book: Book,
  cashier: Cashier,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://simulator");
  if (request.method === "GET" && pathname === "/book") {
    return sendBook(book, response);
  }
  if (["/livez", "/readyz", "/healthz"].includes(pathname)) {
    return send(response, { status: 200, body: { ready: true } });
  }
  if (!/^Bearer \S/.test(request.headers.authorization ?? "")) {
    return send(response, problem(401, "You did not provide an API key."));
  }
  const id = /^\/v1\/payouts\/(\w+)$/.exec(pathname)?.[1];
  if (request.method === "GET" && id !== undefined) {
    const payout = book.payout(id);
    const missing = problem(404, `No such payout: '${id}'`, "resource_missing");
    return send(response, payout === undefined ? missing : { status: 200, body: payoutObject(payout) });
  }
  if (pathname !== "/v1/payouts") {
    return send(response, problem(404, `Unrecognized request URL (${request.method}: ${pathname}).`));
  }
  if (request.method === "GET") {
    return send(response, { status: 200, body: pageOf(book, searchParams) });
  }
  const key = request.headers["idempotency-key"];
  if (request.method !== "POST" || typeof key !== "string") {
    return send(response, problem(400, "Payouts are made with an Idempotency-Key here."));
  }
  const reply = await cashier.pay(await textOf(request), key);
  if (reply === undefined) {
    request.socket.destroy();
  } else {
    send(response, reply);
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

const problem = (status: number, message: string, code?: string): Reply => ({
  status,
  body: errorObject({ type: "invalid_request_error", message, ...(code === undefined ? {} : { code }) }),
});

/** Newest first; `created` is as Stripe has it, `created[gte]=…`. */
function pageOf(book: Book, query: URLSearchParams) {
  const limit = Math.min(LARGEST_PAGE, Number(query.get("limit") ?? 10));
  const since = Number(query.get("created[gte]") ?? 0);
  const until = Number(query.get("created[lte]") ?? Number.POSITIVE_INFINITY);
  const found: Payout[] = [];
  for (const payout of book.newestFirst(query.get("starting_after") ?? undefined)) {
    if (payout.created < since || found.length > limit) {
      break;
    }
    if (payout.created <= until) {
      found.push(payout);
    }
  }
  return {
    object: "list",
    url: "/v1/payouts",
    has_more: found.length > limit,
    data: found.slice(0, limit).map(payoutObject),
  };
}

/** A line for each payout, in the order of what was sent as its id_pago. */
function sendBook(book: Book, response: ServerResponse): void {
  const lines = [...book.newestFirst()]
    .map(({ id, amount, currency, metadata, status, changedAtMs }) => ({
      id_pago: metadata["id_pago"] ?? id,
      id,
      amount,
      currency,
      status,
      changed_at: new Date(changedAtMs).toISOString(),
    }))
    .sort((a, b) => (a.id_pago < b.id_pago ? -1 : 1));
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
    if (text.length > LARGEST_FORM) {
      throw new Error("too large");
    }
  }
  return text;
}
