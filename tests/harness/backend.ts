import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A process behind a proxy: notes what it is asked, and answers with its name unless it is told otherwise. */
export class Backend {
  readonly name: string;
  readonly asked: string[] = [];
  answer = (_request: IncomingMessage, response: ServerResponse): unknown => response.end(this.name);
  /** Whether it answers /livez. */
  lives = true;
  /** Whether it has been told to end, and says so there. */
  drains = false;
  readonly #server: Server;

  constructor(name: string) {
    this.name = name;
    this.#server = createServer((request, response) => {
      if (request.url === "/livez") {
        if (this.lives) {
          response.writeHead(this.drains ? 404 : 200).end();
        }
        return;
      }
      this.asked.push(`${request.method} ${request.url}`);
      request.resume().on("end", () => this.answer(request, response));
    });
  }

  /** @param port any free one when left out */
  async open(port = 0): Promise<number> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  /** Its port refuses, and who is connected is cut off. */
  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
