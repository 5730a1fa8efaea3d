import type { Leaves } from "./leaves.js";
import { keyAt, likeness } from "./leaves.js";
import { type Mapping, requiredPaths } from "./mapping.js";

/** Candidate: it serves, and is tried. Rejected by a person, retired by the checks or by a better one. */
export const STATES = ["candidate", "promoted", "rejected", "retired"] as const;
export type State = (typeof STATES)[number];

/** A mapping, and what is known of its worth. */
export interface Known {
  readonly id: string;
  /** Whose events it is for: `familyOf`. */
  readonly family: string;
  /** Mappings that models gave for the same events: one of them is right at most. */
  readonly shape: string;
  readonly mapping: Mapping;
  /** Paths of the events that it was made from. */
  readonly paths: readonly string[];
  readonly state: State;
  /** Calls that gave it, the first included. */
  readonly votes: number;
  /** Calls that were to confirm it, whatever came of them. */
  readonly confirmations: number;
  /** Why no call can make it a rule; null: it needs none, or more events. */
  readonly waitsFor: string | null;
}

export interface Origin {
  /** As the request names it, in lower case; null where it names none. */
  readonly provider: string | null;
  /** How it came: a unit holds for a provider's webhooks, or for its exports. */
  readonly source: string;
  readonly format: string;
}

/** Events that one mapping may be for. */
export const familyOf = ({ provider, source, format }: Origin): string =>
  [provider ?? "?", source, format].join(" ");

export const isNamed = (family: string): boolean => !family.startsWith("? ");

/** Without a provider's name only events that look much alike are one provider's. */
const LIKE_ENOUGH = 0.5;
/** Text that is of no short list is read, and means nothing. */
const MAX_REASON = 40;

/** `unseen`: of its shape, with a value that it does not know; `other`: of another shape. */
export type Fit = "fits" | "unseen" | "other";

/** Whether an event is one that the mapping was made for. */
export function fitOf({ family, mapping, paths }: Known, leaves: Leaves): Fit {
  const { kinds, status, reason } = mapping;
  if (!requiredPaths(mapping).every((path) => leaves.has(path))) {
    return "other";
  }
  if (!isNamed(family) && likeness(new Set(paths), new Set(leaves.keys())) < LIKE_ENOUGH) {
    return "other";
  }
  const statusKey = keyAt(leaves, status.paths);
  if (!knows(kinds.values, keyAt(leaves, kinds.paths)) || !knows(status.values, statusKey)) {
    return "unseen";
  }
  const category = status.values[statusKey];
  const why = reason === null ? "" : keyAt(leaves, reason.paths);
  const asked = (category === "DECLINED" || category === "FAILED") && isListed(why);
  return asked && reason !== null && !knows(reason.values, why) ? "unseen" : "fits";
}

/** Its kind and status: as many as a mapping knows. */
export const shapeKeyOf = ({ kinds, status }: Mapping, leaves: Leaves): string =>
  `${keyAt(leaves, kinds.paths)}\n${keyAt(leaves, status.paths)}`;

const knows = (values: Readonly<Record<string, unknown>>, key: string): boolean => Object.hasOwn(values, key);

/** Whether a reason may be of a short list: no sentence, no number of the payment in it. */
const isListed = (text: string): boolean =>
  text.replaceAll("|", "").trim() !== "" && text.length <= MAX_REASON && !/\d{5}/.test(text);

/** Those in force for a family's events: what is promoted first, then what most calls gave, then the oldest. */
export function inForce(mappings: readonly Known[]): readonly Known[] {
  const rank = ({ state, votes }: Known) => (state === "promoted" ? 1_000 : votes);
  return mappings
    .filter(({ state }) => state === "promoted" || state === "candidate")
    .toSorted((one, other) => rank(other) - rank(one) || (one.id < other.id ? -1 : 1));
}

/** The mapping that reads an event of its family. */
export const readerOf = (mappings: readonly Known[], leaves: Leaves): Known | undefined =>
  inForce(mappings).find((known) => fitOf(known, leaves) === "fits");
