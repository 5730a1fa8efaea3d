import type { StatusCategory } from "../domain/normalised.js";
import { pathsFor, wordsSay } from "./field_words.js";
import { namesKind } from "./kinds.js";
import { keyAt, type Leaves } from "./leaves.js";
import { FIELDS, type Mapping, pathOf } from "./mapping.js";
import { type Read, readMapped } from "./read.js";
import { statusesBy } from "./status_words.js";
import { type AmountSample, amountSampleOf, unitEvidence } from "./unit.js";
import { wordsOf } from "./words.js";

/** What events say of a mapping that reads them. */
export interface Verdict {
  /** Why it cannot be right. */
  readonly refusals: readonly string[];
  /** What nothing speaks for but the model. */
  readonly doubts: readonly string[];
  /** The unit has evidence of its own, or there is no amount. */
  readonly unitProven: boolean;
}

/** Of a unit that is not proven; no number of calls takes it away. */
export const UNIT_DOUBT = "nothing but the model tells the amount's unit";
const FIVE_YEARS_MS = 5 * 365.25 * 86_400_000;

/**
 * Tests a mapping on events that it fits. The model is not believed where the events themselves can be asked: names of fields, words
 * of statuses, whether amounts and times can be read, whether an id is one payment's.
 */
export function judge(mapping: Mapping, samples: readonly Leaves[], now: Date): Verdict {
  const events = samples.map((leaves) => ({ leaves, read: readMapped(mapping, leaves) }));
  const fields = judgeFields(mapping, samples);
  const statuses = judgeStatuses(mapping);
  const unit = judgeUnit(mapping, events);
  const refusals = [
    ...fields.refusals,
    ...statuses.refusals,
    ...unit.refusals,
    ...judgeValues(events, now),
    ...judgeIds(mapping, events),
  ];
  const unitDoubts = unit.proven ? [] : [UNIT_DOUBT];
  const doubts = [...fields.doubts, ...statuses.doubts, ...orderDoubts(mapping, samples), ...unitDoubts];
  return { refusals, doubts, unitProven: unit.proven };
}

interface Findings {
  readonly refusals: readonly string[];
  readonly doubts: readonly string[];
}

interface ReadEvent {
  readonly leaves: Leaves;
  readonly read: Read;
}

/** A name that speaks against a field is enough where another field's name speaks for it. */
function judgeFields(mapping: Mapping, samples: readonly Leaves[]): Findings {
  const refusals: string[] = [];
  const doubts: string[] = [];
  const paths = new Set(samples.flatMap((leaves) => [...leaves.keys()]));
  for (const field of FIELDS) {
    const path = pathOf(mapping, field);
    const rivals = pathsFor(field, paths);
    const says = path === null ? "nothing" : wordsSay(field, path);
    if (says === "against" && rivals.length > 0) {
      refusals.push(`${path} is no ${field} by its name, and ${rivals[0]} is one`);
    } else if (says !== "for" && (path !== null || rivals.length > 0)) {
      doubts.push(`nothing but the model tells that ${path ?? "nothing"} is the ${field}`);
    }
  }
  for (const path of mapping.status.paths) {
    if (wordsSay("status", path) === "against") {
      refusals.push(`${path} is no status by its name`);
    }
  }
  return { refusals, doubts };
}

function judgeStatuses({ kinds, status }: Mapping): Findings {
  const refusals: string[] = [];
  const doubts: string[] = [];
  const kindsSaid = Object.keys(kinds.values).map((kind) => statusesBy(kind)?.[0]);
  // Only what is said of all kinds is said of each status.
  const kind = new Set(kindsSaid).size === 1 ? Object.keys(kinds.values)[0] : "";
  // `/refund/state` is of a refund; `/payment_status` says nothing.
  const where = status.paths
    .flatMap(wordsOf)
    .filter((word) => isReversal(statusesBy(word)?.[0]))
    .join(" ");
  for (const [key, category] of Object.entries(status.values)) {
    const allowed = statusesBy(`${kind} ${where} ${key}`);
    if (allowed === undefined) {
      doubts.push(`nothing but the model tells what status ${key} means`);
    } else if (!allowed.includes(category)) {
      refusals.push(`status ${key} is ${category} by the model, ${allowed.join(" or ")} by its words`);
    }
  }
  return { refusals, doubts };
}

const isReversal = (category: StatusCategory | undefined): boolean =>
  category === "REFUNDED" || category === "CHARGEBACK";

/** Each kind of events for itself: payments may be in main units, and adjustments in cents. */
function judgeUnit(
  { amount, kinds, status }: Mapping,
  events: readonly ReadEvent[],
): { readonly refusals: readonly string[]; readonly proven: boolean } {
  if (amount === null) {
    return { refusals: [], proven: true };
  }
  const kindPaths = [...kinds.paths, ...status.paths.filter(namesKind)];
  const byKind = new Map<string, AmountSample[]>();
  for (const { leaves, read } of events) {
    const sample = amountSampleOf(leaves, amount.path, read.currency);
    if (sample !== undefined) {
      const kind = keyAt(leaves, kindPaths);
      byKind.set(kind, [...(byKind.get(kind) ?? []), sample]);
    }
  }
  const evidence = [...byKind.values()].map(unitEvidence);
  const against = evidence.flat().find(({ unit }) => unit !== amount.unit);
  return against === undefined
    ? {
        refusals: [],
        proven: evidence.length > 0 && evidence.every((each) => each.some(({ proves }) => proves)),
      }
    : {
        refusals: [`the unit is ${amount.unit} by the model, ${against.unit} by its ${against.by}`],
        proven: false,
      };
}

function judgeValues(events: readonly ReadEvent[], now: Date): readonly string[] {
  const unreadable = new Set(events.flatMap(({ read }) => read.unreadable));
  const times = events.flatMap(({ read: { occurredAt } }) =>
    occurredAt === null ? [] : [occurredAt.getTime()],
  );
  const isFar = times.some((time) => Math.abs(time - now.getTime()) > FIVE_YEARS_MS);
  const isUnitUnknown = events.length > 0 && events.every((event) => event.read.isUnitUnknown);
  return [
    ...(isUnitUnknown ? ["of no event's currency the minor units are known"] : []),
    ...[...unreadable].map((field) => `a value of ${field} is none`),
    ...(isFar ? ["a time is more than five years away"] : []),
  ];
}

/** One id with one status and two amounts is not one payment's: a customer's, a terminal's. */
function judgeIds({ id, status }: Mapping, events: readonly ReadEvent[]): readonly string[] {
  const amounts = new Map<string, bigint | null>();
  for (const { leaves, read } of events) {
    if (id === null || read.id === null) {
      continue;
    }
    const key = `${read.id}\n${keyAt(leaves, status.paths)}`;
    const before = amounts.get(key);
    if (before !== undefined && before !== read.amountMinor) {
      return [`${id} is the same for different payments`];
    }
    amounts.set(key, read.amountMinor);
  }
  return [];
}

/** 05/04/2026 is in April or in May; 20/11/2026 tells which. */
function orderDoubts({ occurredAt }: Mapping, samples: readonly Leaves[]): readonly string[] {
  if (occurredAt === null || (occurredAt.format !== "dmy" && occurredAt.format !== "mdy")) {
    return [];
  }
  const tells = samples.some((leaves) => {
    const [, first = "", second = ""] =
      /^\D*(\d{1,2})\D(\d{1,2})\D/.exec(leaves.get(occurredAt.path)?.text ?? "") ?? [];
    return Number(first) > 12 || Number(second) > 12;
  });
  return tells ? [] : ["nothing but the model tells day from month"];
}
