import { type ConsumeMessage, connect } from "amqplib";
import type { AllSettings } from "../../app/settings.js";
import { ETL_QUEUES } from "../../etl/queues.js";
import { Publisher } from "../../lib/broker/publisher.js";
import { silentLogger } from "../../lib/observability/log.js";
import { createPool, type Pool } from "../../lib/postgres/pool.js";
import { createVhost, dropVhost, onChannel } from "./broker.js";
import { createDatabase, dropDatabase } from "./database.js";
import { eventually } from "./eventually.js";
import { payments } from "./process.js";
import { testSettings } from "./settings.js";

export interface Planted {
  readonly id?: string;
  readonly body?: Buffer | string;
  readonly code?: string;
  readonly headers?: Record<string, unknown>;
}

/** A migrated database and a vhost with its queues, without data and without workers. */
export class DeadLetterLab {
  readonly settings: AllSettings;
  readonly pool: Pool;

  private constructor(settings: AllSettings) {
    this.settings = settings;
    this.pool = createPool(settings, { max: 2, applicationName: "test" });
  }

  static async create(): Promise<DeadLetterLab> {
    const name = await createDatabase("migrated");
    await createVhost(testSettings(), name);
    const lab = new DeadLetterLab(testSettings({ POSTGRES_DB: name, RABBITMQ_VHOST: name }));
    await lab.#declareQueues();
    return lab;
  }

  /** As whoever publishes first does. */
  async #declareQueues(): Promise<void> {
    const publisher = new Publisher({
      address: this.settings,
      name: "test",
      logger: silentLogger,
      connectPolicy: "once",
      families: [ETL_QUEUES],
    });
    await publisher.up();
    await publisher.close();
  }

  async close(): Promise<void> {
    await this.pool.end();
    await dropVhost(this.settings, this.settings.RABBITMQ_VHOST);
    await dropDatabase(this.settings.POSTGRES_DB);
  }

  /** Runs `payments dlq … --json` and reads what it says. */
  async dlq(...args: string[]): Promise<{ code: number | null; data: unknown; error: string | undefined }> {
    const { code, stdout, stderr } = await payments(this.settings, "dlq", ...args, "--json");
    const error = /"code":"([A-Z_]+)"/.exec(stderr)?.[1];
    return { code, data: stdout === "" ? undefined : JSON.parse(stdout), error };
  }

  plant(letters: readonly Planted[]): Promise<void> {
    return plant(this.settings, letters);
  }

  async actions(): Promise<Record<string, unknown>[]> {
    const { rows } = await this.pool.query("SELECT * FROM ops.dead_letter_action ORDER BY action_id");
    return rows;
  }

  /** Letters that some action has recorded. */
  async recorded(): Promise<number> {
    const { rows } = await this.pool.query(
      "SELECT count(*)::integer AS n FROM ops.dead_letter_action_letter",
    );
    return rows[0].n;
  }

  /** Sets a policy, as an operator does; resolves when it is in force. */
  async setPolicy(queue: string, definition: Record<string, number>): Promise<void> {
    const { RABBITMQ_HOST, RABBITMQ_MGMT_PORT, RABBITMQ_USER, RABBITMQ_PASSWORD, RABBITMQ_VHOST } =
      this.settings;
    const api = `http://${RABBITMQ_HOST}:${RABBITMQ_MGMT_PORT}/api`;
    const login = Buffer.from(`${RABBITMQ_USER}:${RABBITMQ_PASSWORD}`).toString("base64");
    const headers = { authorization: `Basic ${login}`, "content-type": "application/json" };
    const policy = { pattern: `^${queue.replaceAll(".", "[.]")}$`, definition, "apply-to": "queues" };
    const put = { method: "PUT", headers, body: JSON.stringify(policy) };
    const answer = await fetch(`${api}/policies/${RABBITMQ_VHOST}/test`, put);
    if (!answer.ok) {
      throw new Error(`policy: ${answer.status} ${await answer.text()}`);
    }
    await eventually("policy in force", async () => {
      const response = await fetch(`${api}/queues/${RABBITMQ_VHOST}/${queue}`, { headers });
      const { effective_policy_definition: effective } = (await response.json()) as Record<string, unknown>;
      return JSON.stringify(effective) === JSON.stringify(definition);
    });
  }

  /** Ids of all that is ready in a queue; looked at and put back. */
  ids(queue: string): Promise<string[]> {
    return onChannel(this.settings, async (channel) => {
      const { messageCount } = await channel.checkQueue(queue);
      if (messageCount === 0) {
        return [];
      }
      await channel.prefetch(messageCount);
      return new Promise<string[]>((resolve, reject) => {
        const ids: string[] = [];
        const take = (message: ConsumeMessage | null) => {
          if (ids.push(String(message?.properties.messageId)) === messageCount) {
            resolve(ids);
          }
        };
        channel.consume(queue, take).catch(reject);
      });
    });
  }
}

/** Puts letters into the dead-letter queue, with the headers a worker writes unless others are given. */
export async function plant(settings: AllSettings, letters: readonly Planted[]): Promise<void> {
  const connection = await connect({
    hostname: settings.RABBITMQ_HOST,
    port: settings.RABBITMQ_PORT,
    username: settings.RABBITMQ_USER,
    password: settings.RABBITMQ_PASSWORD,
    vhost: settings.RABBITMQ_VHOST,
  });
  const channel = await connection.createConfirmChannel();
  for (const { id, body = `letter ${id}`, code = "RUN_UNKNOWN", headers } of letters) {
    channel.publish("", ETL_QUEUES.deadLetter, typeof body === "string" ? Buffer.from(body) : body, {
      persistent: true,
      ...(id === undefined ? {} : { messageId: id }),
      headers: headers ?? {
        "x-error-code": code,
        "x-reason": `planted as ${code}`,
        "x-attempts": 1,
        "x-first-failed-at": "2026-01-01T10:00:00.000Z",
        "x-last-failed-at": "2026-01-01T10:05:00.000Z",
        "x-worker": "test:1",
        tenant: "a",
      },
    });
  }
  await channel.waitForConfirms();
  await connection.close();
}

export function numbered(count: number, code?: string): Planted[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `m${String(i).padStart(6, "0")}`,
    ...(code === undefined ? {} : { code }),
  }));
}
