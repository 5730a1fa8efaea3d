import type { OutgoingMessage } from "../broker/confirms.js";
import type { Publisher } from "../broker/publisher.js";
import { CoreError } from "../core_errors.js";
import { adviceOf, codeOf } from "../errors.js";
import type { Logger } from "../observability/log.js";
import type { Pool, Queryable } from "../postgres/pool.js";
import { quoteName } from "../postgres/sql.js";
import type { Part } from "../runtime/lifecycle.js";
import { sweeping } from "../runtime/sweeping.js";
import { type StoredEvent, toExchange } from "./event.js";

/** What a live process has not sent by then, a dead or busy one left behind. */
const LEFT_BEHIND_S = 5;
/** How long whoever took a message has for sending it, before another one may. */
const CLAIM_S = 30;
const SWEEP_BATCH = 500;
/** What RabbitMQ 4 takes when it is not told otherwise; over one that is larger it closes the channel, with all that is under way. */
const MAX_BODY_BYTES = 16 * 1_024 * 1_024;

export interface OutboxOptions {
  /** Whose table `outbox` it is. */
  readonly schema: string;
  readonly pool: Pool;
  readonly publisher: Publisher;
  readonly logger: Logger;
}

/**
 * Events whose cause is a row and not a message: they are entered in the transaction that causes them, published after its
 * commit by the same process, and by any other one's sweeper when that process died in between. At least once. One that cannot
 * be published stays, and is tried every 30 s; the others neither wait for it nor are repeated with it.
 */
export class Outbox implements Part {
  readonly name = "outbox";
  readonly #options: OutboxOptions;
  readonly #sql: { readonly enter: string; readonly claim: string; readonly remove: string };
  readonly #sweeper: Part;
  readonly #sending = new Set<Promise<void>>();

  constructor(options: OutboxOptions) {
    this.#options = options;
    const left = { of: "the outbox", batch: SWEEP_BATCH, sweep: () => this.sweep() };
    this.#sweeper = sweeping(left, options.logger);
    const table = quoteName(`${options.schema}.outbox`);
    this.#sql = {
      enter: `INSERT INTO ${table} (message_id, event, headers, body)
              SELECT * FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[])`,
      claim: `UPDATE ${table} SET claimed_until = now() + make_interval(secs => ${CLAIM_S})
              -- As an array: the planner may run a subquery anew for each row, and claim more than the limit.
              WHERE message_id = ANY (ARRAY(
                SELECT message_id FROM ${table}
                WHERE entered_at < now() - make_interval(secs => ${LEFT_BEHIND_S})
                  AND (claimed_until IS NULL OR claimed_until < now())
                ORDER BY message_id LIMIT ${SWEEP_BATCH} FOR UPDATE SKIP LOCKED))
              RETURNING message_id AS "messageId", event, headers, body,
                        (extract(epoch FROM entered_at) * 1000)::float8 AS "atMs"`,
      remove: `DELETE FROM ${table} WHERE message_id = ANY ($1::uuid[])`,
    };
  }

  /**
   * Enters messages for events of the exchange, in the transaction of their cause.
   *
   * @throws CoreError MESSAGE_TOO_LARGE
   */
  async enter(tx: Queryable, messages: readonly OutgoingMessage[]): Promise<void> {
    if (messages.length === 0) {
      return;
    }
    if (messages.some(({ body }) => body.length > MAX_BODY_BYTES)) {
      throw new CoreError("MESSAGE_TOO_LARGE", `an event has more than ${MAX_BODY_BYTES} bytes.`);
    }
    await tx.query({
      name: "outbox_enter",
      text: this.#sql.enter,
      values: [
        messages.map(({ properties }) => properties.messageId),
        messages.map(({ properties }) => properties.type),
        messages.map(({ properties }) => JSON.stringify(properties.headers)),
        messages.map(({ body }) => body.toString()),
      ],
    });
  }

  /** Sends what has been committed, and does not wait for it: what fails is left to the sweeper. */
  send(messages: readonly OutgoingMessage[]): void {
    if (messages.length === 0) {
      return;
    }
    const sent = this.#sendAll(messages)
      .then(
        () => undefined,
        (error: unknown) => this.#tellLeft(messages.length, error),
      )
      .finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }

  async start(): Promise<void> {
    await this.#sweeper.start?.();
  }

  async stop(): Promise<void> {
    await this.#sweeper.stop?.();
    await Promise.all(this.#sending);
  }

  /** Sends what was left behind. @returns how many it tried. */
  async sweep(): Promise<number> {
    const { rows } = await this.#options.pool.query<StoredEvent>(this.#sql.claim);
    const events = rows.length === 0 ? 0 : await this.#sendAll(rows.map(toExchange));
    if (events > 0) {
      this.#options.logger.info({ events }, "sent events that had been left in the outbox");
    }
    return rows.length;
  }

  /** @returns how many it sent; it tells of the others. */
  async #sendAll(messages: readonly OutgoingMessage[]): Promise<number> {
    const { publisher, pool } = this.#options;
    const results = await publisher.publishEach(messages);
    const ids = messages.flatMap(({ properties }, i) =>
      results[i] === undefined ? properties.messageId : [],
    );
    if (ids.length > 0) {
      await pool.query({ name: "outbox_remove", text: this.#sql.remove, values: [ids] });
    }
    if (ids.length < messages.length) {
      const failed = results.findIndex((result) => result !== undefined);
      this.#tellLeft(messages.length - ids.length, results[failed], messages[failed]?.properties.messageId);
    }
    return ids.length;
  }

  #tellLeft(events: number, error: unknown, messageId?: string): void {
    const { logger, schema } = this.#options;
    const details = { code: codeOf(error), schema, events, messageId };
    logger.warn(details, `events wait in the outbox: ${adviceOf(error)}`);
  }
}
