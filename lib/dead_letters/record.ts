import type { MessageHeaders, Outcome } from "../broker/delivery.js";
import { tidyReason } from "../broker/headers.js";
import { attemptsMade, codeOnLetter } from "../broker/settlement.js";
import type { QueueFamily } from "../broker/topology.js";
import { codeOf, messageOf } from "../errors.js";
import { Gatherer } from "../gatherer.js";
import { EVENT_HEADER } from "../messaging/event.js";
import type { Logger } from "../observability/log.js";
import { traceIdOf } from "../observability/trace.js";
import { createPool, type Pool, type SettingsRole } from "../postgres/pool.js";
import type { Part } from "../runtime/lifecycle.js";
import type { Settings } from "../settings/base.js";
import { within } from "../timing.js";

/** Letters of a storm share a statement. */
const GROUP = { max: 500, waitMs: 200, atOnce: 1 };
/** Beyond them, rows are left out: 10,000 letters take some 5 MB while a statement waits for a silent server. */
const MOST_WAITING = 10_000;
const STATEMENT_MS = 5_000;
/** Nobody who is told to stop waits longer for what is only a note. */
const STOP_MS = 2_000;
/** RabbitMQ's own limit on ids and types, in bytes. */
const MAX_CHARS = 255;

/** A message that is among the dead letters now. */
interface Buried {
  readonly type?: unknown;
  readonly messageId: string | undefined;
  readonly headers: MessageHeaders;
}

/** A row of the table. */
interface Row {
  readonly queue: string;
  readonly consumer: string;
  readonly event: string | null;
  readonly messageId: string | null;
  readonly traceId: string | null;
  readonly code: string;
  readonly lastCode: string;
  readonly attempts: number;
}

export interface LetterRecordOptions {
  readonly settings: Settings;
  /** Who may insert into ops.dead_letter. */
  readonly role: SettingsRole;
  /** In the name of its connection, e.g. `fraud-service`. */
  readonly title: string;
  readonly logger: Logger;
}

/**
 * Notes in ops.dead_letter what became a dead letter, as well as it goes: on a connection of its own, which is opened when there is
 * something to note. Nobody waits for it, and what cannot be noted is lost.
 */
export class LetterRecord implements Part {
  readonly name = "record of dead letters";
  readonly #logger: Logger;
  readonly #pool: Pool;
  readonly #gatherer: Gatherer<Row, undefined>;
  readonly #waiting = new Set<Promise<undefined>>();
  #lost = 0;

  constructor({ settings, role, title, logger }: LetterRecordOptions) {
    this.#logger = logger;
    this.#pool = createPool(settings, {
      role,
      max: 1,
      applicationName: `${title} letters`,
      queryTimeoutMs: STATEMENT_MS,
      session: { statement_timeout: `${STATEMENT_MS}ms` },
    });
    this.#gatherer = new Gatherer({ ...GROUP, work: (rows) => this.#write(rows) });
  }

  /** To be called once the letter is safe in its queue. Never throws. */
  note({ work, deadLetter }: QueueFamily, { type, messageId, headers }: Buried, outcome: Outcome): void {
    if (outcome.kind !== "retry" && outcome.kind !== "reject") {
      return;
    }
    if (this.#waiting.size >= MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    const noted = this.#gatherer
      .add({
        queue: deadLetter,
        consumer: work,
        event: textOf(type),
        messageId: textOf(messageId),
        traceId: traceIdOf(headers[EVENT_HEADER.traceparent]) ?? null,
        code: codeOnLetter(outcome),
        lastCode: outcome.code,
        attempts: attemptsMade(outcome, headers),
      })
      .finally(() => this.#waiting.delete(noted));
    this.#waiting.add(noted);
  }

  async stop(): Promise<void> {
    const late = () => new Error("the database does not answer");
    await within(STOP_MS, Promise.all(this.#waiting), late).catch(() => undefined);
    await this.#pool.end();
  }

  async #write(rows: readonly Row[]): Promise<readonly undefined[]> {
    let failure: unknown = new Error("too many at once");
    try {
      await this.#pool.query(INSERT, [
        rows.map(({ queue }) => queue),
        rows.map(({ consumer }) => consumer),
        rows.map(({ event }) => event),
        rows.map(({ messageId }) => messageId),
        rows.map(({ traceId }) => traceId),
        rows.map(({ code }) => code),
        rows.map(({ lastCode }) => lastCode),
        rows.map(({ attempts }) => attempts),
      ]);
    } catch (error) {
      this.#lost += rows.length;
      failure = error;
    }
    if (this.#lost > 0) {
      const details = { code: codeOf(failure), letters: this.#lost };
      this.#logger.warn(details, `dead letters are not in ops.dead_letter: ${messageOf(failure)}`);
      this.#lost = 0;
    }
    return [];
  }
}

const INSERT = `
  INSERT INTO ops.dead_letter (queue, consumer, event, message_id, trace_id, code, last_code, attempts)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::bigint[])`;

/** A message comes from anyone, and a column takes no NUL. */
function textOf(value: unknown): string | null {
  return typeof value === "string" ? tidyReason(value, MAX_CHARS) || null : null;
}
