import { expect, it } from "vitest";
import { Checker, type ReportAnswer } from "./check.js";

const sum = { currency: "USD", count: 2, amount: "20.00", completed: 1, failed: 0 };
const v1 = { version: "v1", as_of: "2026-11-26T10:00:00.000Z", totals: [sum] };
const v2 = {
  ...v1,
  version: "v2",
  by_status: [
    { status: "EXITOSO", ...sum, count: 1, amount: "10.00" },
    { status: "PENDIENTE", ...sum, count: 1, amount: "10.00" },
  ],
  by_day: [{ day: null, ...sum }],
  by_affiliate: [{ id_afiliado: "a", ...sum }],
  success_rate: 1,
  mean_amount: [],
  campaigns: [],
};
const answer = (
  body: Readonly<Record<string, unknown>>,
  epoch = 3,
  tag = String(body["version"]),
): ReportAnswer => ({
  status: 200,
  headers: {
    etag: `"${tag}-${epoch}-1-9"`,
    "x-report-version": body["version"],
    "x-report-epoch": String(epoch),
  },
  text: JSON.stringify(body),
});

it("finds nothing in answers that are right", () => {
  const checker = new Checker();
  for (const each of [answer(v1), answer(v2), answer(v2), answer(v1, 4)]) {
    checker.look(each, 3);
  }
  expect(checker.mixed).toEqual([]);
  expect([...checker.seen]).toEqual(["3 v1 1", "3 v2 1", "4 v1 1"]);
});

it.each([
  ["tag", answer(v1, 3, "v2")],
  ["v1 of", answer({ ...v2, version: "v1" })],
  ["v2 of", answer({ ...v1, version: "v2" })],
  ["by_day", answer({ ...v2, by_day: [{ ...sum, count: 1 }] } as typeof v2)],
  ["by_status", answer({ ...v2, by_status: [] })],
  ["epoch 2", answer(v1, 2)],
  ["header of epoch", { ...answer(v1), headers: { ...answer(v1).headers, "x-report-epoch": "9" } }],
])("finds a wrong %s", (what, each) => {
  const checker = new Checker();
  checker.look(each, 3);
  expect(checker.mixed.join()).toContain(what);
});

it("finds two bodies under one tag, and counts errors", () => {
  const checker = new Checker();
  checker.look(answer(v1), 0);
  checker.look(answer({ ...v1, totals: [] } as typeof v1), 0);
  checker.look({ status: 503, headers: {}, text: "" }, 0);
  checker.fail("timeout");
  expect(checker.mixed.join()).toContain("two bodies");
  expect([...checker.errors]).toEqual([
    ["503", 1],
    ["timeout", 1],
  ]);
});
