import { setMaxListeners } from "node:events";
import { Agent, request } from "node:http";
import type { Logger } from "../../lib/observability/log.js";
import { pause } from "../../lib/timing.js";
import type { Book, Payout } from "./book.js";
import { noticeFate } from "./fate.js";
import { eventId, eventObject, signatureOf } from "./stripe_format.js";

export interface NoticesOptions {
  /** Blank: nobody is told. */
  readonly url: string;
  readonly secret: string;
  readonly seed: number;
  readonly failureRate: number;
  readonly repeatRate: number;
  readonly book: Book;
  readonly logger: Logger;
}

const RETRY_MS = { first: 500, most: 60_000 };
const ANSWER_MS = 10_000;

/** Tells what became of payouts, signed as Stripe signs, again until somebody says 2xx. Some late, some twice, some not at all. */
export class Notices {
  readonly #options: NoticesOptions;
  readonly #stopping = new AbortController();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(options: NoticesOptions) {
    this.#options = options;
    setMaxListeners(0, this.#stopping.signal); // Every webhook that waits listens.
  }

  /** @param options.surely it is not lost: nobody would ask about it */
  tell(payout: Payout, { surely = false }: { readonly surely?: boolean } = {}): void {
    const { url, book } = this.#options;
    const fate = noticeFate(this.#options, eventId(payout));
    if (url === "" || (fate.lost && !surely) || book.isTold(eventId(payout))) {
      return;
    }
    void this.#deliver(payout, fate.delayMs).then(async () => {
      if (fate.againAfterMs !== undefined) {
        await this.#deliver(payout, fate.againAfterMs);
      }
    });
  }

  stop(): void {
    this.#stopping.abort();
    this.#agent.destroy();
  }

  async #deliver(payout: Payout, delayMs: number): Promise<void> {
    const { book, logger } = this.#options;
    const { signal } = this.#stopping;
    const body = JSON.stringify(eventObject(payout));
    if (delayMs > 0) {
      await pause(delayMs, signal);
    }
    for (let waitMs = RETRY_MS.first; !signal.aborted; waitMs = Math.min(2 * waitMs, RETRY_MS.most)) {
      const status = await this.#post(body).catch(() => 0);
      if (signal.aborted) {
        return;
      }
      if (status >= 200 && status < 300) {
        book.told(eventId(payout));
        return;
      }
      logger.debug({ status, event: eventId(payout) }, "a webhook was not taken");
      await pause(waitMs, signal);
    }
  }

  #post(body: string): Promise<number> {
    const { url, secret } = this.#options;
    return new Promise((resolve, reject) => {
      const headers = {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "stripe-signature": signatureOf(body, secret),
      };
      const sent = request(
        url,
        { method: "POST", agent: this.#agent, headers, timeout: ANSWER_MS },
        (answer) => {
          answer.resume();
          answer.on("end", () => resolve(answer.statusCode ?? 0));
          answer.on("error", reject);
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("no answer")));
      sent.on("error", reject);
      sent.end(body);
    });
  }
}
