import { CoreError } from "../../lib/core_errors.js";
import { messageOf } from "../../lib/errors.js";
import { TrafficError } from "../errors.js";

/** Where requests go. */
export class Target {
  readonly host: string;
  readonly port: number;
  readonly #origin: string;
  readonly #host: string;
  readonly #apiKey: string;

  /** @throws CoreError USAGE_INVALID for what is no http:// address. */
  constructor(url: string, apiKey: string) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== "http:" || parsed.pathname !== "/") {
      throw new CoreError("USAGE_INVALID", `--url: ${url} is no address such as http://127.0.0.1:8080.`, {
        hint: "TLS costs the generator more than the requests do: put a proxy before the target.",
      });
    }
    this.host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
    this.port = Number(parsed.port || 80);
    this.#origin = parsed.origin;
    this.#host = parsed.host;
    this.#apiKey = apiKey;
  }

  /** The head of a POST up to the value of its content-length, which the body's length completes. */
  head(path: string, headers: Readonly<Record<string, string>> = {}): string {
    const key = this.#apiKey === "" ? {} : { "x-api-key": this.#apiKey };
    const more = Object.entries({ ...key, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n${more.join("")}content-type: application/json\r\ncontent-length: `;
  }

  /**
   * One request outside of the load.
   *
   * @returns the answer's JSON
   * @throws TrafficError TARGET_UNREACHABLE when there is no answer, TARGET_UNPREPARED when it is a refusal.
   */
  async ask(method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<unknown> {
    const headers = {
      ...(this.#apiKey === "" ? {} : { "x-api-key": this.#apiKey }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.#origin}${path}`, { method, headers, ...sent }).catch((cause) => {
      const why = messageOf(cause instanceof Error ? (cause.cause ?? cause) : cause);
      throw new TrafficError("TARGET_UNREACHABLE", `${this.#origin} does not answer: ${why}.`, {
        hint: "Start `payments serve`, or give its address with --url.",
        cause,
      });
    });
    const text = await response.text();
    if (!response.ok) {
      const shown = text.trim().slice(0, 300);
      throw new TrafficError(
        "TARGET_UNPREPARED",
        `${method} ${path} was answered ${response.status}: ${shown}`,
      );
    }
    return JSON.parse(text);
  }
}
