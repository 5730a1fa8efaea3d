import { expect, it } from "vitest";
import type { Normalised } from "../domain/normalised.js";
import { storable, takenOf } from "./text.js";

const NORMALISED: Normalised = {
  ...{
    index: 0,
    provider: "x",
    rule: "x/y",
    method: "rule",
    confidence: 1,
    status: "APPROVED",
    unprocessed: null,
  },
  ...{
    reason: null,
    undoes: null,
    amount: null,
    amountMinor: null,
    currency: null,
    merchant: null,
    country: null,
  },
  ...{
    occurredAt: null,
    providerEventId: null,
    paymentRef: null,
    dedupKey: null,
    metadata: {},
    provenance: {},
  },
};

it.each([
  ["a\0b", "ab"],
  ["a\ud800b", "ab"],
  ["🙂", "🙂"],
  [`${"a".repeat(254)}🙂`, "a".repeat(254)],
])("%j is stored as %j", (text, stored) => {
  expect(storable(text)).toBe(stored);
});

it("names that are too long for an index stay two, and the same one stays itself", () => {
  const keyOf = (dedupKey: string) => takenOf({ ...NORMALISED, dedupKey }).dedupKey ?? "";
  expect(keyOf("a".repeat(255))).toBe("a".repeat(255));
  expect(keyOf("a".repeat(256))).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(keyOf("a".repeat(256))).not.toBe(keyOf(`${"a".repeat(255)}b`));
  expect(keyOf("\0")).toBe("");
});

it("times that PostgreSQL or an ISO text cannot have are none", () => {
  const timeOf = (occurredAt: Date) => takenOf({ ...NORMALISED, occurredAt }).occurredAt;
  expect(timeOf(new Date(0))).toEqual(new Date(0));
  expect([new Date(Number.NaN), new Date(-1), new Date(Date.UTC(10_000, 0))].map(timeOf)).toEqual([
    null,
    null,
    null,
  ]);
});

it("metadata is text that PostgreSQL can hold", () => {
  const { metadata } = takenOf({ ...NORMALISED, metadata: { a: "x\0y", b: "z".repeat(2_000) } });
  expect(JSON.parse(metadata)).toEqual({ a: "xy", b: "z".repeat(1_000) });
  const short = takenOf({ ...NORMALISED, metadata: { a: "x\0", b: "\ud800y", c: "🙂" } });
  expect(short.metadata).toBe('{"a":"x","b":"y","c":"🙂"}');
});
