import { expect, test } from "vitest";
import {
  askAgainAfterS,
  askedSince,
  asksFirst,
  endedAskAfterS,
  retryAfterS,
  withoutTrace,
} from "./next_step.js";

const now = new Date("2026-01-02T00:00:00Z");
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const sending = { gatewayId: null, ended: false, createdAt: hoursAgo(0), sentAt: hoursAgo(0), takes: 1 };

test.each([
  ["a new one is sent", sending, false],
  ["one that got lost is sent again under its key", { ...sending, takes: 3 }, false],
  ["after most of a day somebody asks first", { ...sending, createdAt: hoursAgo(21) }, true],
  ["what the gateway has taken is asked about", { ...sending, gatewayId: "po_1" }, true],
  ["so is what has ended in an error", { ...sending, ended: true }, true],
])("%s", (_, each, asks) => {
  expect(asksFirst(each, now)).toBe(asks);
});

test("what the gateway does not have is sent, unless the gateway will make no more of it", () => {
  expect(withoutTrace(sending, 300)).toBe("send");
  expect(withoutTrace({ ...sending, gatewayId: "po_1", ended: true }, 300)).toBe("lost");
});

test("what has ended is asked about for minutes before it is FALLIDO", () => {
  const steps: string[] = [];
  let seconds = 0;
  for (let takes = 1; steps.at(-1) !== "fail"; takes++) {
    seconds += endedAskAfterS(takes - 1);
    steps.push(withoutTrace({ ...sending, ended: true, takes }, 300));
  }
  expect(seconds).toBeGreaterThanOrEqual(300);
  expect(steps).toEqual([...Array(5).fill("ask again"), "fail"]);
  expect(withoutTrace({ ...sending, ended: true }, 5)).toBe("fail");
});

test("a gateway is asked about the day before, since a restore may have taken a Pago of the same reference away", () => {
  const sent = { ...sending, createdAt: hoursAgo(21), sentAt: hoursAgo(1) };
  expect(askedSince(sent)).toEqual(hoursAgo(45));
  expect(askedSince({ ...sent, ended: true })).toEqual(hoursAgo(1));
});

test("waiting doubles up to a bound", () => {
  expect([1, 2, 3, 20].map((takes) => retryAfterS({ takes }))).toEqual([2, 4, 8, 600]);
  expect([1, 2, 30].map((takes) => askAgainAfterS({ takes }, 60))).toEqual([60, 120, 21_600]);
  expect(askAgainAfterS({ takes: 1 }, 86_400)).toBe(86_400);
});
