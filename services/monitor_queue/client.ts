import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { codeOf } from "../../lib/errors.js";
import { retryAfterS } from "../../lib/webhook/schedule.js";
import { type Verdict, verdictOf } from "./domain/tries.js";

/** Below the time after which a server closes a connection that is not used. */
const IDLE_MS = 4_000;

/** What came of a request. */
export interface Attempt {
  readonly verdict: Verdict;
  /** The status of the answer, or the code of what kept one from coming. */
  readonly result: string;
  /** What the monitor asks for; 0: nothing. */
  readonly retryAfterS: number;
  /** The answer's body; empty where none came. */
  readonly text: string;
}

export interface MonitorClientOptions {
  readonly url: string;
  readonly apiKey: string;
  readonly timeoutMs: number;
  readonly connections: number;
}

/** Calls the monitor. By Node's own client: `fetch` costs twice as much a request. */
export class MonitorClient {
  readonly #options: MonitorClientOptions;
  readonly #module: typeof http | typeof https;
  readonly #agent: http.Agent;

  constructor(options: MonitorClientOptions) {
    this.#options = options;
    this.#module = options.url.startsWith("https:") ? https : http;
    this.#agent = new this.#module.Agent({
      keepAlive: true,
      maxSockets: options.connections,
      timeout: IDLE_MS,
    });
  }

  /** One attempt; never rejects. */
  async send(method: "POST" | "PUT", path: string, body: object, traceparent?: string): Promise<Attempt> {
    const { url, apiKey, timeoutMs } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = {
      "content-type": "application/json",
      ...(apiKey === "" ? {} : { "x-api-key": apiKey }),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    const request = this.#module.request(new URL(path, url), { method, agent: this.#agent, headers, signal });
    return new Promise((resolve) => {
      // Once there is an answer an error is of no interest, and still needs its listener.
      const onError = (error: Error) => {
        const result = signal.aborted ? "TIMEOUT" : (codeOf(error) ?? "FAILED");
        resolve({ verdict: "failed", result, retryAfterS: 0, text: "" });
      };
      request.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => resolve(attemptOf(response, text)));
        response.on("error", onError);
      });
      request.on("error", onError);
      request.end(JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

const attemptOf = ({ statusCode = 0, headers }: IncomingMessage, text: string): Attempt => ({
  verdict: verdictOf(statusCode),
  result: String(statusCode),
  retryAfterS: retryAfterS(headers["retry-after"]),
  text,
});
