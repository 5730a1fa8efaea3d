import { expect, test } from "vitest";
import { askAgainAfterS, asksFirst, retryAfterS, withoutTrace } from "./next_step.js";

const now = new Date("2026-01-02T00:00:00Z");
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const sending = { gatewayId: null, ended: false, createdAt: hoursAgo(0), takes: 1 };

test.each([
  ["a new one is sent", sending, false],
  ["one that got lost is sent again under its key", { ...sending, takes: 3 }, false],
  ["after most of a day somebody asks first", { ...sending, createdAt: hoursAgo(21) }, true],
  ["what the gateway has taken is asked about", { ...sending, gatewayId: "po_1" }, true],
  ["so is what has ended in an error", { ...sending, ended: true }, true],
])("%s", (_, each, asks) => {
  expect(asksFirst(each, now)).toBe(asks);
});

test("what the gateway does not have is sent; it failed only when the gateway will make no more of it", () => {
  expect(withoutTrace(sending)).toBe("send");
  expect(withoutTrace({ ...sending, ended: true })).toBe("fail");
  expect(withoutTrace({ ...sending, gatewayId: "po_1", ended: true })).toBe("wait");
});

test("waiting doubles up to a bound", () => {
  expect([1, 2, 3, 20].map((takes) => retryAfterS({ takes }))).toEqual([2, 4, 8, 600]);
  expect([1, 2, 30].map((takes) => askAgainAfterS({ takes }, 60))).toEqual([60, 120, 21_600]);
  expect(askAgainAfterS({ takes: 1 }, 86_400)).toBe(86_400);
});
