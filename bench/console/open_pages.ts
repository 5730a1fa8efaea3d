import { once } from "node:events";
import { Agent, type ClientRequest, get, type IncomingMessage } from "node:http";

/** The server says something within 15 s; a page that hears nothing for longer is none. */
const FIRST_EVENT_WITHIN_MS = 20_000;

interface Counts {
  /** Of all pages. */
  readonly bytes: number;
  /** Of the look that was told last; every look has the next number. */
  readonly lastId: number;
}

/** Pages of the console that follow, as far as a server can tell: streams that are read as fast as they come. */
export class OpenPages {
  readonly #agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  readonly #requests: ClientRequest[] = [];
  #bytes = 0;
  #lastId = 0;
  #isClosed = false;
  #problem: Error | undefined;

  static async open(url: string, pages: number): Promise<OpenPages> {
    const open = new OpenPages();
    try {
      await Promise.all(Array.from({ length: pages }, () => open.#follow(url)));
    } catch (error) {
      open.close();
      throw error;
    }
    return open;
  }

  /** Resolves with the first event. */
  async #follow(url: string): Promise<void> {
    const request = get(url, { agent: this.#agent, headers: { accept: "text/event-stream" } });
    this.#requests.push(request);
    request.on("error", (error) => this.#broke(error));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    if (response.statusCode !== 200) {
      throw new Error(`a page was answered ${response.statusCode}`);
    }
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      this.#bytes += Buffer.byteLength(text);
      for (const [, id] of text.matchAll(/^id: (\d+)$/gm)) {
        this.#lastId = Math.max(this.#lastId, Number(id));
      }
    });
    response.on("error", (error) => this.#broke(error));
    response.on("close", () => this.#broke(new Error("a page's stream ended")));
    await once(response, "data", { signal: AbortSignal.timeout(FIRST_EVENT_WITHIN_MS) });
  }

  #broke(error: Error): void {
    if (!this.#isClosed) {
      this.#problem ??= error;
    }
  }

  /** @throws Error when one of them has ended */
  counts(): Counts {
    if (this.#problem !== undefined) {
      throw this.#problem;
    }
    return { bytes: this.#bytes, lastId: this.#lastId };
  }

  close(): void {
    this.#isClosed = true;
    for (const request of this.#requests) {
      request.destroy();
    }
    this.#agent.destroy();
  }
}
