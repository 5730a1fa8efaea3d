import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What the door does with a request: lets it through, answers in the monitor's place, or says nothing and hangs up. */
type Say = "through" | "hang up" | { readonly status: number; readonly retryAfterS?: number };

/** Stands before a monitor, which may so be away, or refuse what a test wants refused. */
export class MonitorDoor {
  /** Asked about each request. @param body as text */
  say: (path: string, body: string) => Say = () => "through";
  /** Requests by path, in their order. */
  readonly seen: { readonly path: string; readonly body: string; readonly atMs: number }[] = [];
  readonly #server: Server;
  #target = "";

  private constructor() {
    this.#server = createServer((request, response) => {
      void (async () => {
        const body = await textOf(request);
        const path = request.url ?? "/";
        this.seen.push({ path, body, atMs: performance.now() });
        const said = this.say(path, body);
        if (said === "hang up") {
          return request.socket.destroy();
        }
        if (said !== "through") {
          const { status, retryAfterS } = said;
          return response
            .writeHead(status, retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) })
            .end();
        }
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${this.#target}${path}`, {
          method: request.method ?? "GET",
          headers,
          body,
        });
        return response.writeHead(answer.status).end(await answer.text());
      })().catch(() => request.socket.destroy());
    });
  }

  static async open(): Promise<MonitorDoor> {
    const door = new MonitorDoor();
    door.#server.listen(0, "127.0.0.1");
    await once(door.#server, "listening");
    return door;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  leadTo(url: string): void {
    this.#target = url;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
  }
  return text;
}
