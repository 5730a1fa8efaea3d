import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhenResult,
  isBrokenCircuitError,
} from "cockatiel";
import { codeOf } from "../errors.js";
import { Gatherer } from "../gatherer.js";
import type { Logger } from "../observability/log.js";
import type { Instruments } from "../observability/registry.js";
import type { Pool } from "../postgres/pool.js";
import type { Part } from "../runtime/lifecycle.js";
import { pause } from "../timing.js";
import { type Attempt, tellsAway, WebhookClient, type WebhookClientOptions } from "./client.js";
import type { webhookMetrics } from "./metrics.js";
import { retryInS } from "./schedule.js";
import { type PendingWebhook, type Settlement, WebhookTable } from "./table.js";
import type { WebhookTarget } from "./target.js";

/** How soon a new one is seen, at most. */
const LOOK_EVERY_MS = 500;
/** Between two looks while there is enough to do, so that one claims several. */
const BUSY_MS = 10;
/** So many attempts in a row that find the receiver away, and all wait; then one asks whether it is back. */
const BREAKER = { failures: 5, pauseMs: 60_000 };
/** What is under way at the end has so long; it is said again otherwise. */
const DRAIN_MS = 2_000;
/** What has been sent within this time is marked by one statement. */
const MARKING = { waitMs: 10, max: 200, atOnce: 1 };

export interface WebhooksOptions {
  /** Whose table `webhook` it is. */
  readonly schema: string;
  /** In labels. */
  readonly service: string;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly metrics: Instruments<typeof webhookMetrics>;
  readonly target: WebhookTarget;
  /** Attempts under way at a time. */
  readonly concurrency: number;
  /** Makes of what was entered what the receiver is told as `data`. */
  readonly present: (data: unknown) => object;
  readonly client?: Pick<WebhookClientOptions, "timeoutMs" | "lookup">;
  readonly breaker?: Partial<typeof BREAKER>;
}

/**
 * Sends the webhooks that transactions have entered into a schema's table, as Standard Webhooks 1.0 says: signed, each until it is
 * answered with 2xx, with retries over three days. At least once, under the same webhook-id, in no order. Any number of processes
 * may do so at once.
 */
export class Webhooks implements Part {
  readonly name = "webhooks";
  readonly #options: WebhooksOptions;
  readonly #table: WebhookTable;
  readonly #client: WebhookClient;
  readonly #breaker: CircuitBreakerPolicy;
  readonly #marks: Gatherer<Settlement, undefined>;
  readonly #stopping = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #sending: Promise<void> | undefined;
  /** Of the clock; until then nothing is sent. */
  #pausedUntilMs = 0;
  #cutOff = false;

  constructor(options: WebhooksOptions) {
    const { schema, pool, target, concurrency, client, logger } = options;
    this.#options = options;
    this.#table = new WebhookTable(pool, schema);
    this.#client = new WebhookClient({ ...client, target, connections: concurrency });
    const { failures, pauseMs } = { ...BREAKER, ...options.breaker };
    this.#breaker = circuitBreaker(
      handleWhenResult((attempt) => tellsAway(attempt as Attempt)),
      { halfOpenAfter: pauseMs, breaker: new ConsecutiveBreaker(failures) },
    );
    this.#breaker.onBreak(() => {
      this.#pauseFor(pauseMs);
      logger.warn({ schema, pauseMs }, "the receiver of webhooks is away; they wait");
    });
    this.#breaker.onReset(() => logger.info({ schema }, "the receiver of webhooks answers; going on"));
    this.#marks = new Gatherer({
      ...MARKING,
      work: async (settlements) => {
        await this.#table.settle(settlements);
        return settlements.map(() => undefined);
      },
    });
  }

  async start(): Promise<void> {
    this.#sending ??= this.#sendOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#sending;
    const over = new AbortController();
    await Promise.race([Promise.all(this.#underWay), pause(DRAIN_MS, over.signal)]);
    over.abort();
    this.#cutOff = true;
    this.#client.close();
    await Promise.all(this.#underWay);
  }

  async #sendOn(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const room = this.#room();
      const claimed = room > 0 ? await this.#claim(room) : [];
      for (const webhook of claimed) {
        const delivered = this.#deliver(webhook)
          .catch((error: unknown) => {
            this.#options.logger.warn(
              { err: error, webhookId: webhook.id },
              "what became of a webhook was not kept",
            );
          })
          .finally(() => this.#underWay.delete(delivered));
        this.#underWay.add(delivered);
      }
      const busy = claimed.length > 0 || this.#underWay.size >= this.#options.concurrency;
      await pause(busy ? BUSY_MS : LOOK_EVERY_MS, signal);
    }
  }

  /** How many may be begun now; one when it is to tell whether the receiver is back. */
  #room(): number {
    if (Date.now() < this.#pausedUntilMs) {
      return 0;
    }
    const most = this.#breaker.state === CircuitState.Closed ? this.#options.concurrency : 1;
    return most - this.#underWay.size;
  }

  #claim(room: number): Promise<readonly PendingWebhook[]> {
    return this.#table.claim(room).catch((error: unknown) => {
      this.#options.logger.debug({ code: codeOf(error) }, "webhooks were not looked for");
      return [];
    });
  }

  async #deliver(webhook: PendingWebhook): Promise<void> {
    const attempt = await this.#attempt(webhook);
    // Of one that was cut off nobody knows whether it arrived: it does not count, and is made again.
    const made = attempt !== undefined && !(this.#cutOff && attempt.kind === "failed");
    if (!made) {
      const { id, attempts } = webhook;
      return this.#marks.add({ id, state: "pending", attempts, result: null, waitS: 0 });
    }
    this.#pauseFor(attempt.retryAfterS * 1_000);
    if (attempt.kind === "gone") {
      await this.#stopAll(webhook);
    }
    const settlement = settlementOf(webhook, attempt);
    await this.#marks.add(settlement);
    this.#count(webhook, attempt, settlement);
  }

  /** Undefined: others have found meanwhile that the receiver is away. */
  async #attempt({ id, type, data, enteredAt }: PendingWebhook): Promise<Attempt | undefined> {
    const body = JSON.stringify({ type, timestamp: enteredAt, data: this.#options.present(data) });
    try {
      return await this.#breaker.execute(() => this.#client.send(id, body));
    } catch (error) {
      if (isBrokenCircuitError(error)) {
        return undefined;
      }
      throw error;
    }
  }

  async #stopAll({ id }: PendingWebhook): Promise<void> {
    const { schema, logger } = this.#options;
    if (await this.#table.stop(id)) {
      logger.error(
        { schema, webhookId: id },
        "the receiver answered 410 (gone): no more webhooks are sent until payments webhooks resume",
      );
    }
  }

  #count({ id, type }: PendingWebhook, attempt: Attempt, { state, attempts, waitS }: Settlement): void {
    const { service, metrics, logger } = this.#options;
    const result = state === "failed" ? "given_up" : attempt.kind;
    metrics.webhookAttempts.inc({ service, result });
    const line = { webhookId: id, type, attempts, result: attempt.result };
    if (result === "given_up") {
      logger.error(line, "a webhook was given up");
    } else if (result === "failed") {
      logger.warn({ ...line, retryInS: Math.round(waitS) }, "a webhook was not delivered");
    } else {
      logger.debug(line, `a webhook was answered: ${result}`);
    }
  }

  #pauseFor(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, Date.now() + ms);
  }
}

function settlementOf(webhook: PendingWebhook, { kind, result, retryAfterS }: Attempt): Settlement {
  const attempts = webhook.attempts + 1;
  const made = { id: webhook.id, attempts, result };
  if (kind === "delivered") {
    return { ...made, state: "delivered", waitS: 0 };
  }
  // When the endpoint is resumed, what told us that it was gone is the first to be sent.
  const waitS = kind === "gone" ? 0 : retryInS(attempts, retryAfterS);
  return waitS === undefined ? { ...made, state: "failed", waitS: 0 } : { ...made, state: "pending", waitS };
}
