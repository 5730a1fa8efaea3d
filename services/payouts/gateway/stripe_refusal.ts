import { codeOf, messageOf } from "../../../lib/errors.js";
import { motivoOf } from "../domain/pago.js";
import type { Answer } from "./pasarela.js";

/** What the official package throws, as far as it matters. By its fields: tests and copies of the package have other classes. */
interface StripeFailure {
  readonly statusCode?: number;
  readonly rawType?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly detail?: unknown;
}

/** Nobody was there to take it. */
const NEVER_SENT: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

/** What was asked for is none, or cannot be had. */
const REFUSING: ReadonlySet<number> = new Set([400, 402]);

/** What an answer with an error means, when that is certain: no failure of the gateway. Undefined: it is one. */
export function refusalOf(error: unknown): Answer | undefined {
  const { statusCode = 0, rawType, code, headers } = error as StripeFailure;
  if (statusCode === 429 || statusCode === 401 || statusCode === 403) {
    return { kind: "later", why: `${statusCode} ${code ?? rawType ?? ""}`.trim() };
  }
  // The key is at work, or was used for something else: never to be taken for a refusal.
  if (statusCode === 409 || rawType === "idempotency_error") {
    return { kind: "unknown", ended: false, why: code ?? "idempotency_error" };
  }
  // So Stripe says that it made no payout. Anything else may come of a proxy, or of an error yet unknown.
  if (REFUSING.has(statusCode) && rawType === "invalid_request_error") {
    return { kind: "refused", motivo: motivoOf(code, rawType) };
  }
  if (statusCode >= 400 && statusCode < 500) {
    return { kind: "unknown", ended: false, why: `${statusCode} ${code ?? rawType ?? ""}`.trim() };
  }
  // What is answered under a key for a second time is final, errors too. It tells nothing of how the gateway is now.
  if (statusCode >= 500 && headers?.["idempotent-replayed"] === "true") {
    return { kind: "unknown", ended: true, why: `http_${statusCode}, again` };
  }
  return undefined;
}

/** What a failure leaves open. */
export function failureOf(error: unknown): Answer {
  const { statusCode = 0, detail } = error as StripeFailure;
  if (codeOf(error) === "UNAVAILABLE" || NEVER_SENT.has(codeOf(detail) ?? "")) {
    return { kind: "later", why: messageOf(error) };
  }
  return { kind: "unknown", ended: false, why: statusCode > 0 ? `http_${statusCode}` : messageOf(error) };
}
