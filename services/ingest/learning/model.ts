import type OpenAI from "openai";
import { messageOf } from "../../../lib/errors.js";
import { Circuit } from "../../../lib/runtime/circuit.js";
import type { Proposal } from "./family.js";
import type { Prompt } from "./prompt.js";
import { ANSWER_SCHEMA, proposalOf } from "./proposal.js";

export interface ModelOptions {
  readonly apiKey: string;
  /** E.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Of one attempt. */
  readonly timeoutS: number;
  readonly maxRetries: number;
}

/** What a call came to: a proposal, prose or another form, a refusal for good, or nothing. */
export type ModelReply =
  | { readonly kind: "proposal"; readonly proposal: Proposal; readonly tokens: number }
  | {
      readonly kind: "no_proposal" | "refused" | "unreachable";
      readonly why: string;
      readonly tokens: number;
    };

/** A model behind an OpenAI-compatible endpoint. */
export interface Model {
  /** Never throws. */
  readonly ask: (prompt: Prompt) => Promise<ModelReply>;
  /** No call goes out for so long, in milliseconds: it failed too often. */
  readonly waitMs: number;
  readonly isDown: boolean;
}

/** How an answer's form is asked for: by its schema, or as any JSON object where the server knows no schemas. */
type Form = "json_schema" | "json_object";

/** Longer answers are no mapping. */
const MAX_TOKENS = 4_000;

export class OpenAiModel implements Model {
  readonly #options: ModelOptions;
  readonly #circuit: Circuit;
  #client: Promise<OpenAI> | undefined;
  #form: Form = "json_schema";

  constructor(options: ModelOptions) {
    this.#options = options;
    const { timeoutS, maxRetries } = options;
    this.#circuit = new Circuit({ name: "the model", callMs: timeoutS * 1_000 * (maxRetries + 1) });
  }

  get waitMs(): number {
    return this.#circuit.waitMs;
  }

  get isDown(): boolean {
    return this.#circuit.isOpen;
  }

  async ask(prompt: Prompt): Promise<ModelReply> {
    const reply = await this.#askAs(this.#form, prompt);
    if (this.#form === "json_object" || !mayBeTheForm(reply)) {
      return reply;
    }
    const plain = await this.#askAs("json_object", prompt);
    if (plain.kind === "proposal") {
      this.#form = "json_object";
    }
    return { ...plain, tokens: plain.tokens + reply.tokens };
  }

  async #askAs(form: Form, { system, user }: Prompt): Promise<ModelReply> {
    try {
      const client = await this.#connected();
      return await this.#circuit.call(async () => {
        try {
          const answer = await client.chat.completions.create({
            model: this.#options.model,
            messages: [
              { role: "system", content: system },
              { role: "user", content: user },
            ],
            temperature: 0,
            max_tokens: MAX_TOKENS,
            response_format: formatOf(form),
          });
          return replyOf(answer);
        } catch (error) {
          const status = (error as { status?: number }).status ?? 0;
          // It was understood and refused: a bad key, a model that is not there, a form that it does not know.
          if (status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429) {
            return { kind: "refused", why: `status ${status}`, tokens: 0 } as const;
          }
          throw error;
        }
      });
    } catch (error) {
      return { kind: "unreachable", why: messageOf(error).slice(0, 200), tokens: 0 };
    }
  }

  #connected(): Promise<OpenAI> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** Loaded at the first call: other commands need not wait for it. */
  async #connect(): Promise<OpenAI> {
    const { apiKey, baseUrl, timeoutS, maxRetries } = this.#options;
    const { default: Client } = await import("openai");
    return new Client({ apiKey, baseURL: baseUrl, timeout: timeoutS * 1_000, maxRetries, logLevel: "off" });
  }
}

const mayBeTheForm = (reply: ModelReply): boolean =>
  reply.kind === "no_proposal" || (reply.kind === "refused" && /\b(400|404|415|422)$/.test(reply.why));

function formatOf(form: Form): NonNullable<OpenAI.ChatCompletionCreateParamsNonStreaming["response_format"]> {
  return form === "json_object"
    ? { type: form }
    : {
        type: form,
        json_schema: { name: "mapping", strict: true, schema: ANSWER_SCHEMA as Record<string, unknown> },
      };
}

function replyOf({ choices, usage }: OpenAI.ChatCompletion): ModelReply {
  const tokens = usage?.total_tokens ?? 0;
  const message = choices?.[0]?.message;
  if (message?.refusal) {
    return { kind: "refused", why: "the model refused", tokens };
  }
  const proposal = proposalOf(message?.content ?? "");
  return proposal === undefined
    ? { kind: "no_proposal", why: "no answer of the form that was asked for", tokens }
    : { kind: "proposal", proposal, tokens };
}
