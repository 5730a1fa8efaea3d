import { hash } from "node:crypto";
import type { Normalised } from "../domain/normalised.js";

const MAX_NAME = 255;
const MAX_VALUE = 1_000;

/** NUL, and halves of surrogate pairs: with the flag u a whole pair is one character. */
const UNSTORABLE = /[\0\p{Surrogate}]/gu;

/** Text that PostgreSQL can hold: without NUL, no half of a surrogate pair, cut where it is long. */
export const storable = (text: string, max = MAX_NAME): string =>
  text.replace(UNSTORABLE, "").slice(0, max).replace(UNSTORABLE, "");

const orNull = (text: string | null): string | null => (text === null ? null : storable(text) || null);

/** A name that is too long for an index is its digest, so that two of them stay two. */
function nameOf(text: string | null): string | null {
  const name = text === null ? "" : storable(text, Number.POSITIVE_INFINITY);
  return name.length > MAX_NAME ? `sha256:${hash("sha256", name)}` : name || null;
}

/** As JSON has NUL and halves of surrogate pairs. */
const MAYBE_UNSTORABLE = /\\u(?:0000|d[89a-f])/;

function entriesOf(record: object): string {
  const text = JSON.stringify(record);
  // Nearly all: to look at each value takes four times as long.
  if (text.length <= MAX_VALUE && !MAYBE_UNSTORABLE.test(text)) {
    return text;
  }
  return JSON.stringify(record, (_, value: unknown) =>
    typeof value === "string" ? storable(value, MAX_VALUE) : value,
  );
}

/** Years that a date of PostgreSQL and an ISO text agree on. */
const isDate = (at: Date | null): at is Date =>
  at !== null && at.getTime() >= 0 && at.getTime() < Date.UTC(10_000, 0);

/** What an event was taken for, as its row has it. */
export interface Taken extends Omit<Normalised, "metadata" | "provenance" | "unprocessed"> {
  readonly code: string | null;
  readonly detail: string | null;
  /** As JSON. */
  readonly metadata: string;
  readonly provenance: string;
}

export function takenOf(normalised: Normalised): Taken {
  const { provider, unprocessed, occurredAt } = normalised;
  return {
    provider: provider === null ? null : storable(provider, 50) || null,
    rule: normalised.rule,
    method: normalised.method,
    confidence: normalised.confidence,
    status: normalised.status,
    reason: normalised.reason,
    undoes: normalised.undoes,
    amount: normalised.amount,
    amountMinor: normalised.amountMinor,
    currency: normalised.currency,
    country: normalised.country,
    code: unprocessed?.code ?? null,
    detail: unprocessed === null ? null : storable(unprocessed.detail, MAX_VALUE),
    merchant: orNull(normalised.merchant),
    occurredAt: isDate(occurredAt) ? occurredAt : null,
    providerEventId: nameOf(normalised.providerEventId),
    paymentRef: nameOf(normalised.paymentRef),
    dedupKey: nameOf(normalised.dedupKey),
    metadata: entriesOf(normalised.metadata),
    provenance: entriesOf(normalised.provenance),
  };
}
