import { expect, it } from "vitest";
import type { SlotRow } from "../store/window.js";
import { compareSlots, stretchesOf } from "./slots.js";

const slots = (...each: readonly (readonly [SlotRow["came"], SlotRow["told"]])[]): SlotRow[] =>
  each.map(([came, told], i) => ({ seq: i + 1, came, told }));

it("slots that are alike and follow each other are one stretch", () => {
  const seen = slots(["ok", "sent"], ["ok", "sent"], ["late", "sent"], [null, "omitted"], ["ok", "sent"]);
  expect(stretchesOf(seen, false)).toEqual([
    { first: 1, last: 2, came: "ok", told: "sent" },
    { first: 3, last: 3, came: "late", told: "sent" },
    { first: 4, last: 4, came: "missing", told: "omitted" },
    { first: 5, last: 5, came: "ok", told: "sent" },
  ]);
  expect(stretchesOf(seen, true)[2]).toMatchObject({ came: "waiting" });
});

it("of a strip that no picture can show the beginning is told", () => {
  const seen = Array.from(
    { length: 5_000 },
    (_, i): SlotRow => ({
      ...{ seq: i + 1, told: "sent" },
      came: i % 2 === 0 ? "ok" : "error",
    }),
  );
  expect(stretchesOf(seen, false)).toHaveLength(2_000);
});

it("both books are compared slot by slot", () => {
  const seen = slots(
    ...([
      ["ok", "sent"],
      ["late", "sent"],
      [null, "sent"],
      [null, "omitted"],
      ["error", "omitted"],
    ] as const),
    ...([
      ["ok", "sending"],
      [null, "stalled"],
      [null, "unknown"],
    ] as const),
  );
  expect(compareSlots(seen)).toEqual({
    ...{ expected: 8, sent: 3, omitted: 2, stalled: 1, unknown: 2, came: 4 },
    ...{ came_without_being_sent: 1, sent_without_coming: 1 },
  });
  expect(compareSlots(slots(["ok", null], [null, null]))).toBeNull();
});
