import type { Normalised } from "../domain/normalised.js";
import type { Known } from "./known.js";
import { keyAt, type Leaves } from "./leaves.js";
import { FIELDS, layoutOf, pathOf } from "./mapping.js";
import { readMapped } from "./read.js";

/** A model's mapping is never surer than this before it is a rule. */
const CONFIDENCE = { promoted: 0.95, candidate: 0.8, unproven: 0.5 };

const ruleNameOf = ({ mapping }: Known): string => `learned/${layoutOf(mapping)}`;

/** What an event that the mapping fits comes to. */
export function normalisedBy(
  known: Known,
  leaves: Leaves,
  provider: string | null,
): Omit<Normalised, "index"> {
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
    // Whether it is the notification's id or the payment's nobody knows: status and time tell events of one id apart.
    dedupKey: id === null ? null : `${id}/${statusKey}/${read.occurredAt?.toISOString() ?? ""}`,
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
  const asPromoted = state === "promoted";
  const candidate = known.waitsFor !== null ? CONFIDENCE.unproven : CONFIDENCE.candidate;
  return {
    ...common,
    ...read,
    method: asPromoted ? "learned" : "ai",
    confidence: asPromoted ? CONFIDENCE.promoted : candidate,
    unprocessed: null,
    provenance: provenanceOf(known, leaves),
  };
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
