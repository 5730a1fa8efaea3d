import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type Stripe from "stripe";
import { z } from "zod";
import { isUuid } from "../../../lib/domain/ids.js";
import { messageOf } from "../../../lib/errors.js";
import { Circuit } from "../../../lib/runtime/circuit.js";
import { PayoutsError } from "../errors.js";
import type { Answer, Envio, Notice, PasarelaDePagos, Pregunta, Said } from "./pasarela.js";
import { currencyOf, isName, METADATA_ID, METADATA_KEY, payoutOf } from "./stripe_payout.js";
import { failureOf, refusalOf } from "./stripe_refusal.js";

export interface StripeOptions {
  readonly apiKey: string;
  /** E.g. `https://api.stripe.com`. */
  readonly apiBase: string;
  readonly webhookSecret: string;
  readonly callTimeoutS: number;
  readonly probeAfterS: number;
  /** Connections that are kept open. */
  readonly connections: number;
}

/** A webhook that is older was kept by somebody. */
const TOLERANCE_S = 300;
/** By how much the gateway's clock may be behind ours. */
const SKEW_S = 60;
const PAGE = 100;

/** A webhook about a payout. Whatever else is signed is for somebody else. */
const NOTICE = z.object({
  id: z.string().refine(isName),
  type: z.string().startsWith("payout.").refine(isName),
  data: z.object({ object: z.unknown() }),
});

/** Stripe's payouts, by its own package. That is loaded at the first call: other commands need not wait for it. */
export class StripeGateway implements PasarelaDePagos {
  readonly #options: StripeOptions;
  readonly #circuit: Circuit;
  #client: Promise<Stripe> | undefined;

  constructor(options: StripeOptions) {
    this.#options = options;
    const { callTimeoutS, probeAfterS } = options;
    this.#circuit = new Circuit({
      name: "the gateway",
      callMs: callTimeoutS * 1_000,
      openMs: probeAfterS * 1_000,
    });
  }

  get waitMs(): number {
    return this.#circuit.waitMs;
  }

  get probes(): boolean {
    return this.#circuit.isOpen;
  }

  async send({ idPago, monto, moneda, gatewayKey }: Envio): Promise<Answer> {
    try {
      const answer = await this.#call(({ payouts }) =>
        payouts.create(
          {
            amount: Number(monto), // Exact: a Pago has 10^15 at most, see dinero.ts.
            currency: currencyOf(moneda),
            metadata: { [METADATA_ID]: idPago, [METADATA_KEY]: gatewayKey },
          },
          { idempotencyKey: gatewayKey },
        ),
      );
      return "refusal" in answer ? answer.refusal : takenAs(idPago, answer.value);
    } catch (error) {
      return failureOf(error);
    }
  }

  /** Stripe finds payouts by id and by time, not by metadata: so all that were made since the oldest question are looked through. */
  async ask(preguntas: readonly Pregunta[]): Promise<readonly Said[]> {
    const unnamed = preguntas.filter(({ gatewayId }) => gatewayId === null);
    const listed = unnamed.length === 0 ? new Map<string, Said>() : this.#listed(unnamed);
    return Promise.all(
      preguntas.map(async ({ idPago, gatewayId }) =>
        gatewayId === null
          ? ((await listed).get(idPago) ?? NOTHING)
          : this.#retrieve(gatewayId).catch((error: unknown) => unsaid(messageOf(error))),
      ),
    );
  }

  async read(bytes: Buffer, signature: string | undefined): Promise<Notice | undefined> {
    const notice = NOTICE.safeParse(await this.#verified(bytes, signature ?? ""));
    const payout = notice.success ? readable(notice.data.data.object) : undefined;
    const idPago = payout?.idPago;
    if (notice.data === undefined || payout === undefined || idPago === undefined || !isUuid(idPago)) {
      return undefined;
    }
    const { id, type } = notice.data;
    return { id, type, idPago: idPago.toLowerCase(), payout };
  }

  async #verified(bytes: Buffer, signature: string): Promise<unknown> {
    const { webhookSecret } = this.#options;
    if (webhookSecret === "") {
      throw new PayoutsError(
        "WEBHOOK_SIGNATURE_INVALID",
        "there is no STRIPE_WEBHOOK_SECRET to check it with.",
      );
    }
    const { webhooks } = await this.#stripe();
    try {
      return webhooks.constructEvent(bytes, signature, webhookSecret, TOLERANCE_S);
    } catch (error) {
      throw new PayoutsError(
        "WEBHOOK_SIGNATURE_INVALID",
        "the signature is missing, malformed, too old, or of other bytes.",
        { cause: error, field: { in: "header", pointer: "#/stripe-signature" } },
      );
    }
  }

  async #retrieve(gatewayId: string): Promise<Said> {
    const answer = await this.#call(({ payouts }) =>
      payouts.retrieve(gatewayId).catch((error: unknown) => {
        if ((error as { statusCode?: number }).statusCode === 404) {
          return undefined;
        }
        throw error;
      }),
    );
    if ("refusal" in answer) {
      return unsaid(whyOf(answer.refusal));
    }
    if (answer.value === undefined) {
      return NOTHING;
    }
    const payout = readable(answer.value);
    return payout === undefined ? unsaid("an answer that is no payout") : { kind: "has", payout };
  }

  /** Of Pagos whose payouts have no name yet; of one that is not there the gateway has nothing. */
  async #listed(preguntas: readonly Pregunta[]): Promise<ReadonlyMap<string, Said>> {
    const asked = new Map(
      preguntas.flatMap(({ idPago, gatewayKey }) => [
        [idPago, idPago],
        [gatewayKey, idPago],
      ]),
    );
    const since = Math.floor(Math.min(...preguntas.map((each) => Number(each.since))) / 1_000) - SKEW_S;
    const found = new Map<string, Said>();
    try {
      for await (const made of this.#since(since)) {
        const { [METADATA_ID]: madeFor = "", [METADATA_KEY]: key = "" } = made?.metadata ?? {};
        const idPago = asked.get(madeFor) ?? asked.get(key);
        if (idPago === undefined) {
          continue;
        }
        if (idPago !== madeFor) {
          // Of a time that a restore took away: its reference was paid already.
          found.set(
            idPago,
            found.get(idPago) ?? unsaid(`${made.id} was made for Pago ${madeFor} under its key`),
          );
        } else {
          const payout = readable(made);
          found.set(
            idPago,
            payout === undefined ? unsaid("a payout of it that is none") : { kind: "has", payout },
          );
        }
      }
    } catch (error) {
      // What it has said stands; what else it has nobody knows.
      for (const idPago of preguntas.map((each) => each.idPago).filter((each) => !found.has(each))) {
        found.set(idPago, unsaid(messageOf(error)));
      }
    }
    return found;
  }

  /** @throws Error when it does not say all of them */
  async *#since(seconds: number): AsyncGenerator<Stripe.Payout> {
    for (let after: string | undefined; ; ) {
      const position = after === undefined ? {} : { starting_after: after };
      const asked = { limit: PAGE, created: { gte: seconds }, ...position };
      const answer = await this.#call(({ payouts }) => payouts.list(asked));
      if ("refusal" in answer) {
        throw new Error(whyOf(answer.refusal));
      }
      const { data, has_more } = answer.value;
      yield* data;
      after = data.at(-1)?.id;
      if (!has_more) {
        return;
      }
      if (after === undefined) {
        throw new Error("a list that goes on, and does not say where");
      }
    }
  }

  /** What it answers, an error too where that is certain. @throws what is a failure of the gateway, UNAVAILABLE while it is left alone */
  async #call<Value>(
    ask: (stripe: Stripe) => Promise<Value>,
  ): Promise<{ readonly value: Value } | { readonly refusal: Answer }> {
    const stripe = await this.#stripe();
    return this.#circuit.call(async () => {
      try {
        return { value: await ask(stripe) };
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) {
          throw error;
        }
        return { refusal };
      }
    });
  }

  #stripe(): Promise<Stripe> {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect(): Promise<Stripe> {
    const { apiKey, apiBase, callTimeoutS, connections } = this.#options;
    const { default: Client } = await import("stripe");
    const { protocol, hostname, port } = new URL(apiBase);
    const Agent = protocol === "http:" ? HttpAgent : HttpsAgent;
    // Without a key nothing is sent; the package wants one all the same, to check webhooks.
    return new Client(apiKey || "none", {
      protocol: protocol === "http:" ? "http" : "https",
      host: hostname,
      ...(port === "" ? {} : { port }),
      httpAgent: new Agent({ keepAlive: true, maxSockets: connections }),
      timeout: callTimeoutS * 1_000,
      // Whether and when something is sent again is decided here. (What was cut off it sends once more, under the same key.)
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }
}

function takenAs(idPago: string, made: Stripe.Payout): Answer {
  try {
    const payout = payoutOf(made);
    return payout.idPago === idPago
      ? { kind: "taken", payout }
      : { kind: "unknown", ended: false, why: "an answer about another Pago" };
  } catch (error) {
    return { kind: "unknown", ended: false, why: messageOf(error) };
  }
}

const NOTHING: Said = { kind: "has nothing" };
const unsaid = (why: string): Said => ({ kind: "unknown", why });
const whyOf = (refusal: Answer): string => ("why" in refusal ? refusal.why : refusal.kind);

/** Undefined: it is no payout. */
function readable(object: unknown): ReturnType<typeof payoutOf> | undefined {
  try {
    return payoutOf(object as Stripe.Payout);
  } catch {
    return undefined;
  }
}
