import { CoreError } from "../core_errors.js";
import { adviceOf, codeOf, messageOf, PlatformError } from "../errors.js";
import type { Logger } from "../observability/log.js";
import { isIncurable } from "../retry.js";
import type { BrokerAddress } from "../settings/base.js";
import { type Deferred, deferred, fullJitterMs, pause, within } from "../timing.js";
import { dial, nodesOf } from "./dial.js";
import { ConsumerCancelled, type Link } from "./link.js";

/** First retry within 100 ms (a broker that only dropped us), later ones within 3 s: one that restarts is away for some 5 s. */
const RECONNECT = { baseMs: 100, capMs: 3_000 };
/** A link that lived this long was a good one: the next loss starts again from the shortest wait. */
const STABLE_MS = 10_000;
/**
 * Whoever declares a quorum queue within some 40 ms of its deletion, measured on an idle RabbitMQ 3.10.8, cuts off the consumers that
 * have not been told yet: see subscription.ts. Those who noticed the deletion are the ones who would.
 */
const RENEWAL_PAUSE_MS = 1_000;
/** A quorum queue without its majority keeps a declaration waiting for good. */
const SET_UP_TIMEOUT_MS = 30_000;

/**
 * How the first connect fails. `once`: at the first failure, for commands, whose user waits. `forever`: for workers, which
 * start before the broker and outlive it; only what waiting cannot cure (credentials, another topology) ends them. After
 * the first success both reconnect until closed.
 */
export type ConnectPolicy = "once" | "forever";

export interface ConnectionTarget {
  readonly address: BrokerAddress;
  /** What the management UI shows. */
  readonly name: string;
  readonly logger: Logger;
  readonly connectPolicy: ConnectPolicy;
}

export interface ConnectionOptions<Session> extends ConnectionTarget {
  /** Opens the channels on each new link. When it fails or stalls, the link is closed and the next one tried. */
  readonly setUp: (link: Link) => Promise<Session>;
}

/** Keeps one link to the broker alive and hands out what was set up on the present one. */
export class BrokerConnection<Session> {
  readonly #options: ConnectionOptions<Session>;
  readonly #closing = new AbortController();
  readonly #supervision: Promise<void>;
  #link: Link | undefined;
  #wasUp = false;
  #isUp = false;
  /** By the monotonic clock. */
  #upSinceMs = Number.POSITIVE_INFINITY;
  /** Pending while down, resolved while up, rejected once and for all when over. */
  #session: Deferred<Session> = deferred();

  constructor(options: ConnectionOptions<Session>) {
    this.#options = options;
    this.#supervision = this.#supervise();
  }

  /** The present session, or the next one when there is none just now. @throws PlatformError when there won't be any. */
  up(): Promise<Session> {
    return this.#session.promise;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** How long the present link has lived; 0 without one. */
  get upForMs(): number {
    return this.#isUp ? performance.now() - this.#upSinceMs : 0;
  }

  /** Gives the present link up, and with it all that waits on it; the next one is dialled. */
  renew(reason: Error): void {
    this.#link?.drop(reason);
  }

  /** Delivers what was sent, closes and stays closed. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#link?.close();
    await this.#supervision;
  }

  async #supervise(): Promise<void> {
    const { logger, name, connectPolicy, address } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const { reason, livedMs, reached } = await this.#live();
      if (this.#closing.signal.aborted) {
        return this.#session.reject(new CoreError("INTERRUPTED", `The connection "${name}" was closed.`));
      }
      // Waiting won't help: wrong credentials, missing rights, or queues that stand with other arguments.
      const incurable = isIncurable(reason) || codeOf(reason) === "QUEUE_MISMATCH";
      // A node that took us but cannot serve, as one apart from the others, is no reason to give the others up. What somebody else has
      // in hand he has on every node.
      const isOfNode = codeOf(reason) !== "DEAD_LETTERS_BUSY";
      const othersLeft = reached && isOfNode && attempt + 1 < nodesOf(address).length;
      if (!this.#wasUp && ((connectPolicy === "once" && !othersLeft) || incurable)) {
        return this.#session.reject(reason);
      }
      if (livedMs > STABLE_MS) {
        attempt = 0;
      }
      const pauseMs = isQueueGone(reason) ? RENEWAL_PAUSE_MS : 0;
      const waitMs = pauseMs + Math.round(fullJitterMs(attempt, RECONNECT));
      const details = { connection: name, code: codeOf(reason), waitMs };
      logger[incurable ? "error" : "warn"](details, `no broker connection: ${adviceOf(reason)}`);
      await pause(waitMs, this.#closing.signal);
    }
  }

  /** One link from dialling to its end; tells why it ended. Never rejects. */
  async #live(): Promise<{ reason: Error; livedMs: number; reached: boolean }> {
    let link: Link | undefined;
    try {
      link = await this.#dial();
      this.#link = link;
      // A close() that came just before had no link to close.
      this.#closing.signal.throwIfAborted();
      const session = await this.#setUp(link);
      const since = Date.now();
      this.#upSinceMs = performance.now();
      this.#wasUp = true;
      this.#isUp = true;
      this.#session.resolve(session);
      this.#options.logger.info({ connection: this.#options.name }, "broker connection up");
      const reason = await link.ended;
      this.#isUp = false;
      this.#session = deferred();
      return { reason, livedMs: Date.now() - since, reached: true };
    } catch (error) {
      const reason = setUpFailure(error);
      // Lost, not closed: the next node may manage it.
      link?.drop(reason);
      await link?.close();
      return { reason, livedMs: 0, reached: link !== undefined };
    }
  }

  /** Dials without keeping close() waiting; a link that comes too late is closed at once. */
  async #dial(): Promise<Link> {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    const closed = deferred<never>();
    const onClosed = () => closed.reject(new Error("closed while connecting"));
    signal.addEventListener("abort", onClosed, { once: true });
    const dialling = dial(this.#options.address, this.#options.name, signal);
    try {
      return await Promise.race([dialling, closed.promise]);
    } catch (error) {
      dialling.then(
        (late) => late.close(),
        () => undefined,
      );
      throw error;
    } finally {
      signal.removeEventListener("abort", onClosed);
    }
  }

  /** The link's end wins over a set-up that may wait for something else and would never notice. */
  #setUp(link: Link): Promise<Session> {
    const lost = link.ended.then((reason) => Promise.reject(reason));
    return within(
      SET_UP_TIMEOUT_MS,
      Promise.race([this.#options.setUp(link), lost]),
      () => new Error(`no answer within ${SET_UP_TIMEOUT_MS / 1_000} s while setting up`),
    );
  }
}

const isQueueGone = (reason: unknown) => reason instanceof ConsumerCancelled || codeOf(reason) === "404";

/** Gives the broker's reply codes to a declaration a name and a remedy. */
function setUpFailure(cause: unknown): PlatformError {
  if (cause instanceof PlatformError) {
    return cause;
  }
  const message = messageOf(cause);
  if (codeOf(cause) === "403") {
    const hint =
      "The user needs configure, write and read permission on the vhost: rabbitmqctl set_permissions.";
    return new CoreError("RABBITMQ_AUTH", message, { hint, cause });
  }
  if (codeOf(cause) === "406") {
    const hint = "A queue of that name stands with other arguments: drain and delete it, then start again.";
    return new CoreError("QUEUE_MISMATCH", message, { hint, cause });
  }
  return new CoreError("RABBITMQ_UNREACHABLE", `RabbitMQ did not let us set up: ${message}.`, { cause });
}
