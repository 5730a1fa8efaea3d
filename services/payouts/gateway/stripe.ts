import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type Stripe from "stripe";
import { messageOf } from "../../../lib/errors.js";
import { Circuit } from "../../../lib/runtime/circuit.js";
import { PayoutsError } from "../errors.js";
import type { Answer, Envio, GatewayPayout, Notice, PasarelaDePagos, Pregunta } from "./pasarela.js";
import { currencyOf, METADATA_ID, payoutOf } from "./stripe_payout.js";
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
      const stripe = await this.#stripe();
      return await this.#circuit.call(async () => {
        try {
          const made = await stripe.payouts.create(
            { amount: Number(monto), currency: currencyOf(moneda), metadata: { [METADATA_ID]: idPago } },
            { idempotencyKey: gatewayKey },
          );
          return takenAs(idPago, made);
        } catch (error) {
          const refusal = refusalOf(error);
          if (refusal === undefined) {
            throw error;
          }
          return refusal;
        }
      });
    } catch (error) {
      return failureOf(error);
    }
  }

  /** Stripe finds payouts by id and by time, not by metadata: so all that were made since the oldest question are looked through. */
  async ask(preguntas: readonly Pregunta[]): Promise<ReadonlyMap<string, GatewayPayout>> {
    const found = new Map<string, GatewayPayout>();
    const named = preguntas.filter(({ gatewayId }) => gatewayId !== null);
    await Promise.all(
      named.map(async ({ idPago, gatewayId }) => {
        const payout = await this.#retrieve(gatewayId as string);
        if (payout !== undefined) {
          found.set(idPago, payout);
        }
      }),
    );
    const unnamed = new Map(
      preguntas.filter(({ gatewayId }) => gatewayId === null).map(({ idPago, since }) => [idPago, since]),
    );
    if (unnamed.size > 0) {
      const since = Math.floor(Math.min(...[...unnamed.values()].map(Number)) / 1_000) - SKEW_S;
      for await (const payout of this.#since(since)) {
        if (payout.idPago !== undefined && unnamed.has(payout.idPago)) {
          found.set(payout.idPago, payout);
        }
      }
    }
    return found;
  }

  async read(bytes: Buffer, signature: string | undefined): Promise<Notice> {
    const { id, type, data } = await this.#verified(bytes, signature ?? "");
    const payout = type?.startsWith("payout.") ? payoutOf(data.object as Stripe.Payout) : undefined;
    const idPago = payout?.idPago;
    return {
      id,
      type,
      about: payout && isUuid(idPago) ? { idPago: idPago.toLowerCase(), payout } : undefined,
    };
  }

  async #verified(bytes: Buffer, signature: string): Promise<Stripe.Event> {
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

  async #retrieve(gatewayId: string): Promise<GatewayPayout | undefined> {
    const stripe = await this.#stripe();
    return this.#circuit.call(async () => {
      try {
        return payoutOf(await stripe.payouts.retrieve(gatewayId));
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) {
          return undefined;
        }
        throw error;
      }
    });
  }

  async *#since(seconds: number): AsyncGenerator<ReturnType<typeof payoutOf>> {
    const stripe = await this.#stripe();
    for (let after: string | undefined; ; ) {
      const position = after === undefined ? {} : { starting_after: after };
      const asked = { limit: PAGE, created: { gte: seconds }, ...position };
      const page = await this.#circuit.call(() => stripe.payouts.list(asked));
      yield* page.data.map(payoutOf);
      after = page.data.at(-1)?.id;
      if (!page.has_more || after === undefined) {
        return;
      }
    }
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

const isUuid = (text: string | undefined): text is string =>
  text !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
