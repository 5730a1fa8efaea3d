import type { GetMessage } from "amqplib";
import { audit, type Difference } from "../../app/audit.js";
import { MODULES } from "../../app/modules.js";
import { chooseModules, serve } from "../../app/serve.js";
import type { AllSettings } from "../../app/settings.js";
import type { OutgoingMessage } from "../../lib/broker/confirms.js";
import { Publisher } from "../../lib/broker/publisher.js";
import { EVENTS_EXCHANGE } from "../../lib/broker/topology.js";
import { newId } from "../../lib/domain/ids.js";
import { type EventContract, eventMessage } from "../../lib/messaging/event.js";
import { silentLogger } from "../../lib/observability/log.js";
import { transaction } from "../../lib/postgres/pool.js";
import { onChannel } from "./broker.js";
import { withPool } from "./database.js";
import { eventually } from "./eventually.js";
import { freePort } from "./free_port.js";
import { Platform } from "./platform.js";

const FAMILIES = MODULES.flatMap(({ queues }) => queues);

/** An HTTP answer, read. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
  readonly body: any;
  readonly headers: Headers;
}

/** A JSON text a line. */
const isLines = ({ headers }: Response) => headers.get("content-type")?.includes("ndjson") === true;

/** Services that run in this process as `payments serve` runs them, on a database and a vhost of their own. */
export class Services {
  readonly platform: Platform;
  readonly #publisher: Publisher;
  readonly #names: readonly string[];
  #port = 0;
  #running: { readonly stop: AbortController; readonly ended: Promise<void> } | undefined;

  private constructor(platform: Platform, names: readonly string[]) {
    this.platform = platform;
    this.#names = names;
    this.#publisher = new Publisher({
      // A test is no service under test: where its process gets no CPU for seconds it is not to lose its link.
      address: { ...platform.settings, RABBITMQ_HEARTBEAT_S: 60 },
      name: "test events",
      logger: silentLogger,
      connectPolicy: "once",
      families: FAMILIES,
    });
  }

  static async create(flags: Parameters<typeof Platform.create>[0], ...names: string[]): Promise<Services> {
    return Services.on(await Platform.create(flags), ...names);
  }

  /** Beside others on one platform; ended by `leave`, where another one closes it. */
  static async on(platform: Platform, ...names: string[]): Promise<Services> {
    const services = new Services(platform, names);
    await services.#publisher.up();
    return services;
  }

  /** For what a test makes of a service's own parts. */
  get publisher(): Publisher {
    return this.#publisher;
  }

  get settings(): AllSettings {
    return this.platform.settings;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** @param more settings that hang on where they are served */
  async start(more: (url: string) => Partial<AllSettings> = () => ({})): Promise<void> {
    this.#port = await freePort();
    const stop = new AbortController();
    const settings = { ...this.settings, HTTP_PORT: this.#port, ...more(this.url) };
    const modules = chooseModules(this.#names, MODULES);
    const ended = serve({ modules, all: MODULES, settings, logger: silentLogger, signal: stop.signal });
    ended.catch(() => undefined);
    this.#running = { stop, ended };
    const ready = async () => {
      await Promise.race([ended, Promise.resolve()]);
      return (await this.get("/readyz").catch(() => undefined))?.status === 200;
    };
    await eventually("services are ready", ready, { withinMs: 60_000 });
  }

  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.ended;
    this.#running = undefined;
  }

  async leave(): Promise<void> {
    await this.stop();
    await this.#publisher.close();
  }

  async close(): Promise<void> {
    await this.leave();
    await this.platform.close();
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text.startsWith("{") && !isLines(response) ? JSON.parse(text) : text,
      headers: response.headers,
    };
  }

  get = (path: string) => this.request("GET", path);
  post = (path: string, body: unknown) => this.request("POST", path, body);

  /** Publishes events as their service would. */
  async publish<Body>(
    event: EventContract<Body>,
    bodies: readonly Body[],
    messageId?: string,
  ): Promise<void> {
    await this.send(bodies.map((body) => eventMessage(event, body, { messageId: messageId ?? newId() })));
  }

  send(messages: readonly OutgoingMessage[]): Promise<void> {
    return this.#publisher.publishAll(messages);
  }

  /** A queue that gets every event of a name from now on; tells what came, oldest first. */
  async watch<Body>(event: EventContract<Body>): Promise<() => Promise<Seen<Body>[]>> {
    const queue = `test.${newId()}`;
    await onChannel(this.settings, async (channel) => {
      await channel.assertExchange(EVENTS_EXCHANGE, "topic", { durable: true });
      await channel.assertQueue(queue, { durable: true });
      await channel.bindQueue(queue, EVENTS_EXCHANGE, event.name);
    });
    const seen: Seen<Body>[] = [];
    return async () => {
      await onChannel(this.settings, async (channel) => {
        for (;;) {
          const message = await channel.get(queue, { noAck: true });
          if (message === false) {
            return;
          }
          seen.push({ body: JSON.parse(message.content.toString()) as Body, message });
        }
      });
      return seen;
    };
  }

  /** Ways in which the books disagree, with nothing in flight: none. */
  async differences(schema: string): Promise<unknown[]> {
    return transaction(this.platform.pool, async (tx) => {
      await tx.query("SET LOCAL payments.audit_grace_s = 0");
      return (await tx.query(`SELECT * FROM ${schema}.audit_difference`)).rows;
    });
  }

  /** What `payments audit --quiesced` names: nothing. */
  async audit(): Promise<readonly Difference[]> {
    const options = { graceS: 0, giveUpS: 0, settings: this.settings };
    const { differences, unread } = await audit(this.platform.pool, MODULES, options);
    if (unread[0] !== undefined) {
      throw unread[0].error;
    }
    return differences;
  }

  /** A statement of the tables' owner. */
  async owner<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return withPool({ role: "admin", database: this.settings.POSTGRES_DB }, async (pool) => {
      await pool.query("SET ROLE payments_owner");
      return (await pool.query(sql, values)).rows as Row[];
    });
  }
}

export interface Seen<Body> {
  readonly body: Body;
  readonly message: GetMessage;
}
