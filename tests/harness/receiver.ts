import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import type { WebhookTarget } from "../../lib/webhook/target.js";

export interface ReceivedWebhook {
  readonly id: string;
  readonly path: string;
  /** Of performance.now(). */
  readonly atMs: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects
  readonly body: any;
}

/** Answers a webhook, or does not. @param nth of those that came, from 1. */
type Answer = (response: ServerResponse, webhook: ReceivedWebhook, nth: number) => void;

export const newSecret = (): string => `whsec_${randomBytes(32).toString("base64")}`;

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end();

/** Somebody who is told by webhooks, as the platform's users would write it: every signature is verified by the public package. */
export class Receiver {
  readonly secret: string;
  /** In the order in which they came. */
  readonly received: ReceivedWebhook[] = [];
  /** What did not verify. */
  readonly forged: unknown[] = [];
  answer: Answer = status(204);
  /** Its own also after it was closed. */
  port = 0;
  readonly #server: Server;

  private constructor(secret: string) {
    this.secret = secret;
    this.#server = createServer(async (request, response) => {
      const body = await text(request).catch(() => undefined);
      if (body === undefined) {
        return;
      }
      const { headers, url: path = "" } = request;
      try {
        new Webhook(this.secret).verify(body, headers as Record<string, string>);
      } catch (error) {
        this.forged.push(error);
      }
      const id = String(headers["webhook-id"]);
      const webhook = { id, path, atMs: performance.now(), headers, text: body, body: JSON.parse(body) };
      this.received.push(webhook);
      this.answer(response, webhook, this.received.length);
    });
  }

  /** @param place of one that was closed, to take it again */
  static async open({
    port = 0,
    secret = newSecret(),
  }: Partial<Pick<Receiver, "port" | "secret">> = {}): Promise<Receiver> {
    const receiver = new Receiver(secret);
    receiver.#server.listen(port, "127.0.0.1");
    await once(receiver.#server, "listening");
    receiver.port = (receiver.#server.address() as AddressInfo).port;
    return receiver;
  }

  /** Of a payment-service that tells it. */
  get settings() {
    return {
      PAYMENTS_WEBHOOK_URL: this.url,
      PAYMENTS_WEBHOOK_SECRET: this.secret,
      PAYMENTS_WEBHOOK_ALLOW_INTERNAL: "true",
    };
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks`;
  }

  get target(): WebhookTarget {
    return { url: this.url, secrets: this.secret, allowInternal: true };
  }

  get ids(): readonly string[] {
    return this.received.map(({ id }) => id);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
