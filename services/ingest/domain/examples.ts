import { parseJson } from "../../../lib/domain/json_parse.js";
import { type Normalised, normaliseBody, type RawBody } from "./normalise.js";

type Told = Readonly<Record<string, string | null>>;

/** An event with what must come of it: a line of `tests/fixtures/provider_events/*.jsonl`. */
export interface Example {
  readonly id: string;
  readonly provider: string;
  readonly hint?: string;
  /** Numbers keep their digits: `350.00` is no `350` where digits count. */
  readonly event: unknown;
  readonly event_gen?: { readonly element: string; readonly count: number };
  readonly needs_ai?: boolean;
  readonly expected: Told & { readonly outcomes?: readonly string[]; readonly must_not?: string };
  readonly also_accept?: Readonly<Record<string, "*" | readonly (string | null)[]>>;
  readonly extra?: Told;
}

/** @param text JSON, a line an example */
export const examplesIn = (text: string): readonly Example[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => parseJson(line) as Example);

/** What comes of an example otherwise than it says; nothing: it passes. */
export function differencesOf(example: Example): readonly string[] {
  const events = normaliseBody(bodyOf(example), { hint: example.hint });
  const [first] = events;
  if (example.needs_ai) {
    return events.every(({ status }) => status === "UNPROCESSED") ? [] : ["is no matter of rules"];
  }
  const outcomes = example.expected.outcomes ?? [];
  if (
    outcomes.includes(`FAN_OUT_${events.length}`) ||
    (first !== undefined && outcomes.includes("UNPROCESSED") && first.status === "UNPROCESSED")
  ) {
    return [];
  }
  return first === undefined || events.length > 1
    ? [`${events.length} events`]
    : differences(example, toldBy(first));
}

/** What is sent of it. */
export function bodyOf({ event, event_gen: made }: Example): RawBody {
  if (made !== undefined) {
    const attributes = Array.from({ length: made.count }, (_, index) => `a${index}="1"`).join(" ");
    return { text: `<${made.element} ${attributes}/>` };
  }
  return typeof event === "string" ? { text: event } : { value: event };
}

const toldBy = (event: Normalised): Told => ({
  status_category: event.status,
  amount: event.amount,
  currency: event.currency,
  failure_reason: event.reason,
  provider_event_id: event.providerEventId,
  payment_ref: event.paymentRef,
  merchant: event.merchant,
  country: event.country,
  created_at: event.occurredAt?.toISOString().replace(".000Z", "Z") ?? null,
});

const FIELDS = ["status_category", "amount", "currency", "failure_reason", "provider_event_id"];

/** Field, expected, told. */
function differences(example: Example, told: Told): string[] {
  const expected: Told = { ...pick(example.expected), ...example.extra };
  return Object.entries(expected)
    .filter(
      ([field, value]) =>
        !same(field, value, told[field] ?? null) && !tolerated(example, field, told[field] ?? null),
    )
    .map(([field, value]) => `${field}: ${value} expected, ${told[field]} told`);
}

const pick = (expected: Example["expected"]): Told =>
  Object.fromEntries(
    FIELDS.filter((field) => field in expected).map((field) => [field, expected[field] ?? null]),
  );

function same(field: string, expected: string | null, told: string | null): boolean {
  if (field === "created_at" && expected !== null && told !== null) {
    return Date.parse(expected) === Date.parse(told);
  }
  return expected === told;
}

function tolerated({ also_accept: also }: Example, field: string, told: string | null): boolean {
  const values = also?.[field];
  return values === "*" || (values?.includes(told) ?? false);
}
