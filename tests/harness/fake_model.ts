import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ModelAnswer } from "../../services/ingest/learning/proposal.js";
import { type Asked, rightAnswer } from "./unknown_provider.js";

/**
 * How it behaves: it knows schemas; knows none and says so; knows none, and says nothing of it; writes prose; never answers; refuses;
 * is overrun once; does not know the key.
 */
export type Mood =
  | "schema"
  | "no schema"
  | "schema ignored"
  | "prose"
  | "silent"
  | "refuses"
  | "429 once"
  | "bad key";

interface Request {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly response_format: { readonly type: string };
}

/** An OpenAI-compatible server that answers about `UnknownProvider` as a test says. */
export class FakeModel {
  mood: Mood = "schema";
  answer: (asked: Asked) => ModelAnswer = rightAnswer;
  /** How long it thinks. */
  delayMs = 0;
  /** All that it was sent. */
  readonly requests: Request[] = [];
  readonly #server = createServer((request, response) => void this.#take(request, response));

  static async start(): Promise<FakeModel> {
    const model = new FakeModel();
    model.#server.listen(0, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #take(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) {
      chunks.push(chunk as Buffer);
    }
    const request = JSON.parse(Buffer.concat(chunks).toString()) as Request;
    this.requests.push(request);
    if (this.delayMs > 0) {
      await sleep(this.delayMs);
    }
    const asksForSchema = request.response_format.type === "json_schema";
    const asked = JSON.parse(request.messages.at(-1)?.content ?? "{}") as Asked;
    const right = JSON.stringify(this.answer(asked));
    switch (this.mood) {
      case "silent":
        return;
      case "no schema":
        return asksForSchema
          ? error(response, 400, "response_format of type json_schema is not supported")
          : told(response, right);
      case "schema ignored":
        return told(response, asksForSchema ? `Here is your mapping:\n${right}` : right);
      case "prose":
        return told(response, "I would map the status to APPROVED.");
      case "refuses":
        return told(response, null, "I cannot help with that.");
      case "bad key":
        return error(response, 401, "Incorrect API key provided");
      case "429 once":
        return this.requests.length === 1
          ? error(response, 429, "Rate limit reached")
          : told(response, right);
      case "schema":
        return told(response, right);
    }
  }
}

function told(response: ServerResponse, content: string | null, refusal: string | null = null): void {
  send(response, 200, {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "fake",
    choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content, refusal } }],
    usage: { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100 },
  });
}

const error = (response: ServerResponse, status: number, message: string): void =>
  send(response, status, { error: { message, type: "invalid_request_error" } });

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json", "retry-after-ms": "1" });
  response.end(JSON.stringify(body));
}
