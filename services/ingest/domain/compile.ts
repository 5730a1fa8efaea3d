import {
  FAILURE_REASONS,
  type FailureReason,
  STATUS_CATEGORIES,
  type StatusCategory,
  UNPROCESSED_CODES,
  type UnprocessedCode,
} from "./normalised.js";
import { type CompiledPath, compilePath, type Path } from "./path.js";
import type {
  AmountPlace,
  Condition,
  ProviderRules,
  ReasonPlace,
  Rule,
  StatusTable,
  TextPlace,
  TimePlace,
} from "./rule.js";
import { type Lookup, lookupOf } from "./values.js";

/** What a status means. */
export interface Outcome {
  readonly status: StatusCategory;
  /** Of UNPROCESSED. */
  readonly code: UnprocessedCode | null;
  readonly reason: FailureReason | null;
  readonly undoes: StatusCategory | null;
}

/** A rule with its paths and lists of values taken apart, once for all events. */
export interface CompiledRule {
  readonly provider: string;
  /** `stripe/charge` */
  readonly name: string;
  readonly rule: Rule;
  /** Among all rules of its set. */
  readonly position: number;
  readonly digits: Readonly<Record<string, number>>;
  readonly when: readonly CompiledCondition[];
  readonly each: readonly CompiledPath[];
  readonly status: readonly CompiledStatus[];
  readonly reasons: readonly CompiledReason[];
  readonly amount: readonly CompiledAmount[];
  readonly currency: CompiledText | undefined;
  readonly merchant: CompiledText | undefined;
  readonly country: CompiledText | undefined;
  readonly time: CompiledTime | undefined;
  readonly notification: readonly CompiledPath[];
  readonly object: readonly CompiledPath[];
  /** With what the rule reads as status and amount. */
  readonly version: readonly CompiledPath[];
  readonly payment: readonly CompiledText[];
  readonly metadata: readonly (readonly [string, readonly CompiledPath[]])[];
}

export interface CompiledCondition {
  readonly at: readonly CompiledPath[];
  readonly is: Lookup<true> | undefined;
  readonly absent: boolean;
}
export interface CompiledStatus {
  readonly by: readonly CompiledPath[];
  readonly outcomes: Lookup<Outcome>;
  readonly pad: number;
  readonly exceptions: boolean;
}
export interface CompiledReason {
  readonly at: readonly CompiledPath[];
  readonly table: Lookup<FailureReason>;
  readonly pad: number;
  readonly technical: Lookup<true>;
  readonly decides: boolean;
}
export interface CompiledText {
  readonly at: readonly CompiledPath[];
  readonly place: TextPlace;
}
export interface CompiledAmount {
  readonly place: AmountPlace;
  readonly for: Lookup<true> | undefined;
  readonly at: readonly CompiledPath[];
  readonly minus: CompiledPath | undefined;
  readonly sum: readonly CompiledPath[];
  readonly exponent: CompiledPath | undefined;
}
export interface CompiledTime {
  readonly at: readonly (readonly CompiledPath[])[];
  readonly zoneAt: CompiledPath | undefined;
  readonly place: TimePlace;
}

/**
 * @param position among all rules of the set
 * @throws RangeError for an outcome that there is not: a rule set with it is wrong.
 */
export function compileRule(
  rule: Rule,
  { provider, digits = {} }: ProviderRules,
  position: number,
): CompiledRule {
  return {
    provider,
    name: `${provider}/${rule.name}`,
    rule,
    position,
    digits,
    when: rule.when.map(condition),
    each: paths(rule.each),
    status: rule.status.map(status),
    reasons: (rule.reasons ?? []).map(reason),
    amount: (rule.amount ?? []).map(amount),
    currency: text(rule.currency),
    merchant: text(rule.merchant),
    country: text(rule.country),
    time: time(rule.time),
    notification: paths(rule.id.notification),
    object: paths(rule.id.object),
    version: paths(versionOf(rule)),
    payment: (rule.payment ?? []).map((each) => ({ at: paths(each.at), place: each })),
    metadata: Object.entries(rule.metadata ?? {}).map(([name, at]) => [name, paths(at)] as const),
  };
}

/** Events of one object that differ in a status or an amount are no repeats, whether or not a rule thought of it. */
function versionOf({ id, status, amount = [] }: Rule): Path[] {
  const told = [
    ...status.flatMap(({ by }) => by),
    ...amount.flatMap(({ at, sum = [], minus }) => [...at, ...sum, ...(minus === undefined ? [] : [minus])]),
  ];
  return [...new Set([...id.version, ...told])];
}

const paths = (given: readonly Path[] = []): CompiledPath[] => given.map(compilePath);
const path = (given: Path | undefined): CompiledPath | undefined =>
  given === undefined ? undefined : compilePath(given);
const values = (given: string | undefined): Lookup<true> | undefined =>
  given === undefined ? undefined : lookupOf([[true, given]]);

function condition({ at, is, absent }: Condition): CompiledCondition {
  return { at: paths([at].flat()), is: values(is), absent: absent === true };
}

function status({ by, outcomes, pad = 0, exceptions }: StatusTable): CompiledStatus {
  return {
    by: paths(by),
    outcomes: lookupOf(Object.entries(outcomes).map(([outcome, each]) => [outcomeOf(outcome), each])),
    pad,
    exceptions: exceptions === true,
  };
}

function outcomeOf(text: string): Outcome {
  const [first = "", ...more] = text.split(" ");
  const undone = more[0] === "undoes" ? more[1] : undefined;
  return {
    status: UNPROCESSED_CODES.some((code) => code === first)
      ? "UNPROCESSED"
      : oneOf(STATUS_CATEGORIES, first),
    code: UNPROCESSED_CODES.find((code) => code === first) ?? null,
    reason: more.length === 1 ? oneOf(FAILURE_REASONS, more[0] ?? "") : null,
    undoes: undone === undefined ? null : oneOf(STATUS_CATEGORIES, undone),
  };
}

function oneOf<T extends string>(known: readonly T[], text: string): T {
  const found = known.find((each) => each === text);
  if (found === undefined) {
    throw new RangeError(`A rule says ${text}, which is none of ${known.join(", ")}.`);
  }
  return found;
}

function reason({ at, table, pad = 0, technical = "", decides }: ReasonPlace): CompiledReason {
  const entries = FAILURE_REASONS.map((each) => [each, table[each] ?? ""] as const);
  return {
    at: paths(at),
    table: lookupOf(entries.filter(([, each]) => each !== "")),
    pad,
    technical: lookupOf([[true, technical]]),
    decides: decides === true,
  };
}

function text(place: TextPlace | undefined): CompiledText | undefined {
  return place === undefined ? undefined : { at: paths(place.at), place };
}

function amount(place: AmountPlace): CompiledAmount {
  return {
    place,
    for: values(place.for),
    at: paths(place.at),
    minus: path(place.minus),
    sum: paths(place.sum),
    exponent: path(place.exponent),
  };
}

function time(place: TimePlace | undefined): CompiledTime | undefined {
  return place === undefined
    ? undefined
    : {
        at: place.at.map((each) => paths(typeof each === "string" ? [each] : each)),
        zoneAt: path(place.zoneAt),
        place,
      };
}
