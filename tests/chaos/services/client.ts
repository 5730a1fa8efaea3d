import { setTimeout as sleep } from "node:timers/promises";

/** A process that is frozen never answers; others do within milliseconds. */
const PATIENCE_MS = 4_000;
/** Doubled each time, up to the patience: a crowd that asks again at once would keep the services from answering anybody. */
const PAUSE_MS = 200;

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whoever asked says what it expects
  readonly body: any;
}

/** What a caller does who must know: asks one of several processes, then another, until one of them gives a final answer. */
export class Client {
  readonly #addresses: readonly string[];
  readonly #signal: AbortSignal;
  #next = 0;

  /** @param signal ends all asking */
  constructor(addresses: readonly string[], signal: AbortSignal) {
    this.#addresses = addresses;
    this.#signal = signal;
  }

  /** @throws when `signal` fires first. */
  async post(path: string, body: object, key?: string): Promise<Reply> {
    for (let tries = 0; ; tries++) {
      this.#signal.throwIfAborted();
      const reply = await this.#ask(path, body, key);
      if (reply !== undefined && isFinal(reply)) {
        return reply;
      }
      await sleep(Math.min(PATIENCE_MS, PAUSE_MS * 2 ** tries), undefined, { signal: this.#signal });
    }
  }

  async #ask(path: string, body: object, key: string | undefined): Promise<Reply | undefined> {
    this.#next += 1;
    const address = this.#addresses[this.#next % this.#addresses.length];
    try {
      const response = await fetch(`${address}${path}`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(key === undefined ? {} : { "idempotency-key": key }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const text = await response.text();
      return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
    } catch {
      return undefined; // Nobody knows whether it was done.
    }
  }
}

/** 408: a process was frozen while the request came; 409 with a retryable problem: the same request is still in flight. */
function isFinal({ status, body }: Reply): boolean {
  return status < 500 && ![408, 429].includes(status) && !(status === 409 && body.retryable === true);
}
