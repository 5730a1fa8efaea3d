import { hash } from "node:crypto";
import { chance } from "../../lib/domain/chance.js";
import { pause } from "../../lib/timing.js";
import type { Bank } from "./bank.js";
import type { Book, KeptAnswer, Payout } from "./book.js";
import { requestFate } from "./fate.js";
import { errorObject, payoutObject, type StripeError } from "./stripe_format.js";

export interface Reply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface CashierOptions {
  readonly book: Book;
  readonly bank: Bank;
  readonly seed: number;
  readonly failureRate: number;
  readonly latencyMs: number;
}

const CURRENCIES: ReadonlySet<string> = new Set(["usd", "eur", "cop"]);

/** `POST /v1/payouts`: with a key it is executed once, and answered as it was then. */
export class Cashier {
  readonly #options: CashierOptions;
  readonly #atWork = new Set<string>();
  readonly #attempts = new Map<string, number>();

  constructor(options: CashierOptions) {
    this.#options = options;
  }

  /** Undefined: it is cut off. A promise that never resolves: no answer. @param form as it came */
  async pay(form: string, key: string): Promise<Reply | undefined> {
    const { book, seed, latencyMs } = this.#options;
    const kept = book.answerTo(key);
    if (kept !== undefined) {
      return this.#again(kept, form);
    }
    if (this.#atWork.has(key)) {
      return refusal(409, {
        type: "invalid_request_error",
        code: "idempotency_key_in_use",
        message: "There is currently another in-progress request using this key.",
      });
    }
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    this.#atWork.add(key);
    try {
      const halfMs = latencyMs * chance(seed, "latency", key, attempt);
      await pause(halfMs);
      const reply = this.#execute(form, key, attempt);
      await pause(halfMs);
      return await reply;
    } finally {
      this.#atWork.delete(key);
    }
  }

  #again(kept: KeptAnswer, form: string): Reply {
    if (kept.fingerprint !== fingerprintOf(form)) {
      return refusal(400, {
        type: "idempotency_error",
        message: "Keys for idempotent requests can only be used with the same parameters.",
      });
    }
    const { payoutId, error, status } = kept;
    const payout = payoutId === undefined ? undefined : this.#options.book.payout(payoutId);
    const body =
      payout === undefined || error !== undefined
        ? errorObject(error as StripeError)
        : payoutObject({ ...payout, status: "pending", failureCode: null });
    return { status, body, headers: { "idempotent-replayed": "true" } };
  }

  #execute(form: string, key: string, attempt: number): Promise<Reply | undefined> | Reply | undefined {
    const { book, bank } = this.#options;
    const fate = requestFate(this.#options, key, attempt);
    if (fate === "busy") {
      return refusal(429, {
        type: "invalid_request_error",
        code: "rate_limit",
        message: "Too many requests.",
      });
    }
    if (fate === "down") {
      return refusal(503, { type: "api_error", message: "Try again later." });
    }
    const asked = readForm(form);
    if ("error" in asked) {
      return refusal(400, asked.error); // Stripe keeps no answer to what fails validation.
    }
    const fingerprint = fingerprintOf(form);
    if (fate === "refused") {
      const error = {
        type: "invalid_request_error",
        code: "balance_insufficient",
        message: "You have insufficient funds in your Stripe account.",
      };
      book.answer(key, { fingerprint, status: 400, error });
      return refusal(400, error);
    }
    const broken = { type: "api_error", message: "An unknown error occurred." };
    if (fate === "failed before") {
      book.answer(key, { fingerprint, status: 500, error: broken });
      return refusal(500, broken);
    }
    const payout = newPayout(key, asked);
    const failed = fate === "failed after";
    book.answer(
      key,
      { fingerprint, status: failed ? 500 : 200, payoutId: payout.id, ...(failed ? { error: broken } : {}) },
      payout,
    );
    bank.take(payout);
    switch (fate) {
      case "failed after":
        return refusal(500, broken);
      case "cut off":
        return undefined;
      case "silent":
        return new Promise(() => undefined);
      default:
        return { status: 200, body: payoutObject(payout) };
    }
  }
}

const refusal = (status: number, error: StripeError): Reply => ({ status, body: errorObject(error) });
const fingerprintOf = (form: string): string => hash("sha1", form, "hex");

type Asked = Pick<Payout, "amount" | "currency" | "metadata">;

function readForm(form: string): Asked | { readonly error: StripeError } {
  const fields = new URLSearchParams(form);
  const amount = Number(fields.get("amount"));
  const currency = fields.get("currency") ?? "";
  const invalid = (param: string, code: string) => ({
    error: { type: "invalid_request_error", code, param, message: `Invalid ${param}` },
  });
  if (!Number.isSafeInteger(amount) || amount < 1) {
    return invalid("amount", "parameter_invalid_integer");
  }
  if (!CURRENCIES.has(currency)) {
    return invalid("currency", "currency_not_supported");
  }
  const metadata = [...fields].flatMap(([name, value]) => {
    const key = /^metadata\[(\w{1,40})\]$/.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  return { amount, currency, metadata: Object.fromEntries(metadata) };
}

const newPayout = (key: string, asked: Asked): Payout => ({
  ...asked,
  id: `po_${hash("sha1", key, "hex").slice(0, 24)}`,
  created: Math.floor(Date.now() / 1_000),
  status: "pending",
  failureCode: null,
  changedAtMs: Date.now(),
});
