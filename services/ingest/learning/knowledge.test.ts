import { expect, it } from "vitest";
import { LEARNED_RULE } from "../../../tests/harness/learned_rule.js";
import { RULE_SET } from "../domain/rules/index.js";
import type { Body } from "../normaliser.js";
import { Knowledge, understood } from "./knowledge.js";
import { familyOf } from "./known.js";

const EVENT = { order: "O9", status: "declined", currency: "USD", amount: "12.50" };

it("a provider is one however it is spelt: its events, its mappings and its figures", () => {
  const knowledge = new Knowledge();
  knowledge.set(
    [{ ...LEARNED_RULE, family: familyOf({ provider: "acmepay", source: "api", format: "json" }) }],
    [],
  );
  const read = (hint: string, value: object = EVENT) => {
    const body: Body = { raw: { value }, hint, source: "batch", receivedAt: new Date() };
    return understood(body, knowledge, { rules: RULE_SET, isPending: false })[0];
  };
  expect(read("AcmePay")).toMatchObject({ provider: "acmepay", method: "learned", amount: "12.50" });
  expect(read("ACMEPAY", { unknown: 1 })).toMatchObject({ provider: "acmepay", status: "UNPROCESSED" });
});
