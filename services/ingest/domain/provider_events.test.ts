import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseJson } from "../../../lib/domain/json_parse.js";
import { type Normalised, normaliseBody, type RawBody } from "./normalise.js";
import { currentState } from "./state.js";

type Told = Readonly<Record<string, string | null>>;

/** A line of the files in tests/fixtures/provider_events. */
interface Example {
  readonly id: string;
  readonly format: string;
  readonly hint?: string;
  readonly event: unknown;
  readonly event_gen?: { readonly element: string; readonly count: number };
  readonly needs_ai?: boolean;
  readonly nasty?: boolean;
  readonly expected: Told & { readonly outcomes?: readonly string[]; readonly must_not?: string };
  readonly also_accept?: Readonly<Record<string, "*" | readonly (string | null)[]>>;
  readonly extra?: Told;
}

const linesOf = <T>(name: string): T[] =>
  readFileSync(`tests/fixtures/provider_events/${name}.jsonl`, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);

/** The events of the files keep their numbers: `350.00` is no `350` where digits count. */
const eventOf = (file: string, id: string): unknown =>
  readFileSync(`tests/fixtures/provider_events/${file}.jsonl`, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => parseJson(line) as { id: string; event: unknown })
    .find((each) => each.id === id)?.event;

function bodyOf({ event, event_gen: made }: Example): RawBody {
  if (made !== undefined) {
    const attributes = Array.from({ length: made.count }, (_, index) => `a${index}="1"`).join(" ");
    return { text: `<${made.element} ${attributes}/>` };
  }
  return typeof event === "string" ? { text: event } : { value: event };
}

function toldBy(event: Normalised): Told {
  return {
    status_category: event.status,
    amount: event.amount,
    currency: event.currency,
    failure_reason: event.reason,
    provider_event_id: event.providerEventId,
    payment_ref: event.paymentRef,
    merchant: event.merchant,
    country: event.country,
    created_at: event.occurredAt?.toISOString().replace(".000Z", "Z") ?? null,
  };
}

const FIELDS = ["status_category", "amount", "currency", "failure_reason", "provider_event_id"];

/** What is told otherwise than an example says: field, expected, told. */
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

function judged(example: Example): string[] {
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

describe("events of providers", () => {
  const files = ["examples", "own"];
  it.each(
    files.flatMap((file) =>
      linesOf<Example>(file).map((each) => [`${each.id} of ${file}`, file, each] as const),
    ),
  )("%s", (_, file, example) => {
    expect(judged({ ...example, event: eventOf(file, example.id) ?? example.event })).toEqual([]);
  });
});

interface Sequence {
  readonly id: string;
  readonly steps: readonly unknown[];
  readonly expected: {
    readonly final: { readonly payment: string; readonly current_status: string };
    readonly events_stored: number;
  };
}

it.each(
  ["sequences", "own_sequences"]
    .flatMap((file) => linesOf<Sequence>(file))
    .map((each) => [each.id, each] as const),
)("sequence %s", (_, { steps, expected }) => {
  const stored = new Map<string, Normalised>();
  for (const event of steps.flatMap((step) => normaliseBody({ value: step }))) {
    expect(event.dedupKey).not.toBeNull();
    stored.set(event.dedupKey ?? "", event);
  }
  const ofPayment = [...stored.values()].filter(({ paymentRef }) => paymentRef === expected.final.payment);
  expect(stored.size).toBe(expected.events_stored);
  expect(currentState(ofPayment)).toBe(expected.final.current_status);
});

it("a hint that agrees with the shape changes nothing, one of another provider is a contradiction", () => {
  const known = ["examples", "own"]
    .flatMap((file) => linesOf<Example & { readonly provider: string }>(file))
    .filter(({ provider, hint, event }) => provider !== "unknown" && hint === undefined && event !== null);
  for (const example of known) {
    const body = bodyOf(example);
    const plain = normaliseBody(body);
    if (plain[0]?.provider !== null) {
      expect(normaliseBody(body, { hint: example.provider })).toEqual(plain);
      // A provider whose text may come without names of columns reads a table otherwise.
      const [other] = normaliseBody(body, { hint: example.provider === "wompi" ? "klarna" : "wompi" });
      expect([example.id, other?.unprocessed?.code]).toEqual([example.id, "CONTRADICTION"]);
    }
  }
});
