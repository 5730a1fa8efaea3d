import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { codeOf } from "../errors.js";
import { ADDRESS_REFUSED, publicLookup } from "./address.js";
import { retryAfterS } from "./schedule.js";
import { signatureHeaders, webhookKeys } from "./signature.js";
import { namesInternal, type WebhookTarget } from "./target.js";

/** What came of an attempt. */
export interface Attempt {
  /** Gone: nobody wants any more of them. */
  readonly kind: "delivered" | "failed" | "gone";
  /** The status of the answer, or the code of what kept one from coming. */
  readonly result: string;
  /** What the receiver asks for; 0: nothing. */
  readonly retryAfterS: number;
}

/** Of 3xx and 4xx those that tell of the receiver's own state: a time-out, and too many requests. */
const AWAY = ["408", "429"];

/** Whether an attempt tells that the receiver is away or has too much to do. Whoever refuses what he is told is there. */
export const tellsAway = ({ kind, result }: Attempt): boolean =>
  kind === "failed" && (!/^[34]\d\d$/.test(result) || AWAY.includes(result));

/** From the look-up of the name to the answer's status. */
const TIMEOUT_MS = 15_000;
/** Below the five seconds after which many servers close a connection that is not used. */
const IDLE_MS = 4_000;
/** Nobody reads what a receiver has to say; with so much of it the connection is not worth keeping. */
const MOST_ANSWER_BYTES = 65_536;
const GONE = 410;

export interface WebhookClientOptions {
  readonly target: WebhookTarget;
  /** Connections at a time. */
  readonly connections: number;
  readonly timeoutMs?: number;
  /** How names are resolved. Default: as the system does. */
  readonly lookup?: Parameters<typeof publicLookup>[0];
}

/** Posts signed webhooks to one receiver. It follows no redirect: a signature is for whom it was made. */
export class WebhookClient {
  readonly #url: URL;
  readonly #keys: readonly Buffer[];
  readonly #refused: boolean;
  readonly #timeoutMs: number;
  readonly #module: typeof http | typeof https;
  readonly #agent: http.Agent;

  constructor({ target, connections, timeoutMs = TIMEOUT_MS, lookup }: WebhookClientOptions) {
    this.#url = new URL(target.url);
    this.#keys = webhookKeys(target.secrets);
    this.#refused = !target.allowInternal && namesInternal(this.#url);
    this.#timeoutMs = timeoutMs;
    this.#module = this.#url.protocol === "https:" ? https : http;
    this.#agent = new this.#module.Agent({
      keepAlive: true,
      maxSockets: connections,
      timeout: IDLE_MS,
      ...(target.allowInternal ? {} : { lookup: publicLookup(lookup) }),
    });
  }

  /** One attempt; never rejects. */
  async send(id: string, body: string): Promise<Attempt> {
    if (this.#refused) {
      return failed(ADDRESS_REFUSED);
    }
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const headers = {
      "content-type": "application/json",
      "user-agent": "payments-platform",
      ...signatureHeaders({ id, body, at: new Date() }, this.#keys),
    };
    const request = this.#module.request(this.#url, { method: "POST", agent: this.#agent, headers, signal });
    return new Promise((resolve) => {
      request.on("response", (response) => {
        discard(response);
        resolve(attemptOf(response));
      });
      // Once there is an answer an error is of no interest, and still needs its listener.
      request.on("error", (error) =>
        resolve(failed(signal.aborted ? "TIMEOUT" : (codeOf(error) ?? "FAILED"))),
      );
      request.end(body);
    });
  }

  /** Ends its connections, and with them the attempts under way. */
  close(): void {
    this.#agent.destroy();
  }
}

const failed = (result: string): Attempt => ({ kind: "failed", result, retryAfterS: 0 });

function attemptOf({ statusCode = 0, headers }: IncomingMessage): Attempt {
  const result = String(statusCode);
  if (statusCode >= 200 && statusCode < 300) {
    return { kind: "delivered", result, retryAfterS: 0 };
  }
  const kind = statusCode === GONE ? "gone" : "failed";
  return { kind, result, retryAfterS: retryAfterS(headers["retry-after"]) };
}

function discard(response: IncomingMessage): void {
  let left = MOST_ANSWER_BYTES;
  response.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) {
      response.destroy();
    }
  });
  response.on("error", () => undefined);
}
