import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bodyOf, differencesOf, examplesIn } from "./examples.js";
import { type Normalised, normaliseBody } from "./normalise.js";
import { currentState } from "./state.js";

const textOf = (name: string): string => readFileSync(`tests/fixtures/provider_events/${name}.jsonl`, "utf8");

describe("events of providers", () => {
  it.each(
    ["examples", "own"].flatMap((file) =>
      examplesIn(textOf(file)).map((each) => [`${each.id} of ${file}`, each] as const),
    ),
  )("%s", (_, example) => {
    expect(differencesOf(example)).toEqual([]);
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

const sequences = ["sequences", "own_sequences"]
  .flatMap((file) => textOf(file).split("\n"))
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Sequence);

it.each(sequences.map((each) => [each.id, each] as const))("sequence %s", (_, { steps, expected }) => {
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
    .flatMap((file) => examplesIn(textOf(file)))
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
