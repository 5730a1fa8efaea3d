import type { Normalised } from "../domain/normalised.js";
import { UNIT_DOUBT } from "./judge.js";
import { isNamed, type Known } from "./known.js";
import { keyAt, type Leaves } from "./leaves.js";
import { FIELDS, layoutOf, pathOf } from "./mapping.js";
import { type Read, readMapped } from "./read.js";
import { amountSampleOf, tellsUnit } from "./unit.js";

/** A model's mapping is never surer than this before it is a rule. */
const CONFIDENCE = { promoted: 0.95, candidate: 0.8, unproven: 0.5 };

const ruleNameOf = ({ mapping }: Known): string => `learned/${layoutOf(mapping)}`;

/** What an event that the mapping fits comes to. */
export function normalisedBy(known: Known, leaves: Leaves, provider: string | null): Normalised {
  const { mapping, state } = known;
  const { unreadable, isUnitUnknown, id, ...read } = readMapped(mapping, leaves);
  const statusKey = keyAt(leaves, mapping.status.paths);
  const lost = unreadable.filter((field) => field === "amount" || field === "currency");
  const common = {
    provider,
    rule: ruleNameOf(known),
    undoes: null,
    providerEventId: id,
    paymentRef: read.paymentRef ?? id,
    dedupKey: null,
    metadata: {
      raw_status: statusKey,
      ...(mapping.reason && read.status !== "APPROVED"
        ? { raw_reason: keyAt(leaves, mapping.reason.paths) }
        : {}),
    },
  };
  if (lost.length > 0) {
    const detail = `${lost.join(" and ")} cannot be read`;
    return { ...NONE, ...common, unprocessed: { code: "UNDECIDABLE", detail } };
  }
  if (isUnitUnknown) {
    const detail = `nobody knows which minor units amounts in ${read.currency} are in`;
    return { ...NONE, ...common, unprocessed: { code: "UNKNOWN_VALUE", detail } };
  }
  if (!tellsItself(known, leaves, read.currency)) {
    const detail = "no provider is named, and nothing in the event tells its amount's unit";
    return { ...NONE, ...common, unprocessed: { code: "UNDECIDABLE", detail } };
  }
  const asPromoted = state === "promoted";
  const candidate = known.waitsFor !== null ? CONFIDENCE.unproven : CONFIDENCE.candidate;
  return {
    ...common,
    ...read,
    dedupKey: asPromoted ? keyOf({ ...read, id }, statusKey) : null,
    method: asPromoted ? "learned" : "ai",
    confidence: asPromoted ? CONFIDENCE.promoted : candidate,
    unprocessed: null,
    provenance: provenanceOf(known, leaves),
  };
}

/**
 * Events without a provider's name may be two providers', alike in all but the unit. Where some of them prove one, it is read in those
 * that tell it themselves; where none does, the model's word is all there is, and is no rule.
 */
function tellsItself({ family, mapping, waitsFor }: Known, leaves: Leaves, currency: string | null): boolean {
  const sample = mapping.amount && amountSampleOf(leaves, mapping.amount.path, currency);
  return (
    isNamed(family) ||
    waitsFor === UNIT_DOUBT ||
    !mapping.amount ||
    !sample ||
    tellsUnit(sample, mapping.amount.unit)
  );
}

/**
 * Only a rule has one: what repeats another event is not stored, so nothing would bring back what a candidate took for a repeat.
 * Whether the id is the notification's or the payment's nobody knows: all that was read tells events of one id apart, and without
 * a time, or a payment that is called otherwise, nothing does.
 */
function keyOf(read: Omit<Read, "unreadable" | "isUnitUnknown">, statusKey: string): string | null {
  const { id, paymentRef, amount, currency, occurredAt } = read;
  const tellsApart = occurredAt !== null || (paymentRef !== null && paymentRef !== id);
  return id === null || !tellsApart
    ? null
    : JSON.stringify([id, statusKey, occurredAt, amount, currency, paymentRef]);
}

const NONE = {
  method: "none",
  confidence: 0,
  status: "UNPROCESSED",
  reason: null,
  amount: null,
  amountMinor: null,
  currency: null,
  merchant: null,
  country: null,
  occurredAt: null,
  provenance: {},
} as const;

/** Names of fields as rules give them. */
const NAMES: Readonly<Partial<Record<string, string>>> = { id: "providerEventId" };

function provenanceOf({ mapping }: Known, leaves: Leaves): Normalised["provenance"] {
  const places = [
    ...mapping.status.paths.map((path) => ["status", path] as const),
    ...FIELDS.map((field) => [NAMES[field] ?? field, pathOf(mapping, field)] as const),
  ];
  return Object.fromEntries(
    places.flatMap(([field, path]) => {
      const leaf = path === null ? undefined : leaves.get(path);
      return leaf ? [[field, { pointer: leaf.path.replaceAll("/*", "/0"), text: leaf.text }]] : [];
    }),
  );
}
