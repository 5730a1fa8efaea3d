import { expect, it } from "vitest";
import { RULE_SET } from "../domain/rules/index.js";
import type { Body } from "../normaliser.js";
import { Knowledge, understood } from "./knowledge.js";
import { familyOf } from "./known.js";

const EVENT = { order: "O9", status: "declined", currency: "USD", amount: "12.50" };

it("a provider is one however it is spelt: its events, its mappings and its figures", () => {
  const knowledge = new Knowledge();
  knowledge.set(
    [
      {
        id: "1",
        family: familyOf({ provider: "acmepay", source: "api", format: "json" }),
        shape: "1",
        mapping: {
          kinds: { paths: [], values: { "": true } },
          status: { paths: ["/status"], values: { declined: "DECLINED" } },
          amount: { path: "/amount", unit: "major" },
          currency: "/currency",
          id: "/order",
          paymentRef: null,
          occurredAt: null,
          merchant: null,
          country: null,
          reason: null,
        },
        paths: [],
        state: "promoted",
        votes: 3,
        confirmations: 2,
        waitsFor: null,
      },
    ],
    [],
  );
  const read = (hint: string, value: object = EVENT) => {
    const body: Body = { raw: { value }, hint, source: "batch", receivedAt: new Date() };
    return understood(body, knowledge, { rules: RULE_SET, isPending: false })[0];
  };
  expect(read("AcmePay")).toMatchObject({ provider: "acmepay", method: "learned", amount: "12.50" });
  expect(read("ACMEPAY", { unknown: 1 })).toMatchObject({ provider: "acmepay", status: "UNPROCESSED" });
});
