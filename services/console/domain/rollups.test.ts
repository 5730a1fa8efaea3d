import { expect, it } from "vitest";
import type { RollupRow } from "../store/month.js";
import { groupsOf } from "./rollups.js";

const row = (group: string, currency: string, transactions: bigint, amount: string): RollupRow => ({
  ...{ group, currency, transactions, amount, approved: transactions - 1n, fraud: 1n },
});

it("groups come with all their currencies, the largest first, days in their order", () => {
  const rows = [
    row("FR", "EUR", 2n, "9007199254740993.10"),
    row("US", "USD", 9n, "1.00"),
    row("FR", "USD", 3n, "2.00"),
  ];
  expect(groupsOf(rows, "country")).toEqual({
    groups: [
      { group: "US", transactions: 9, approved: 8, fraud: 1, volume: [{ currency: "USD", amount: "1.00" }] },
      {
        ...{ group: "FR", transactions: 5, approved: 3, fraud: 2 },
        volume: [
          { currency: "USD", amount: "2.00" },
          { currency: "EUR", amount: "9007199254740993.10" },
        ],
      },
    ],
    more: 0,
  });
  const days = [row("2025-01-02", "EUR", 9n, "1"), row("2025-01-01", "EUR", 2n, "1")];
  expect(groupsOf(days, "day").groups.map(({ group }) => group)).toEqual(["2025-01-01", "2025-01-02"]);
});

it("of many groups the largest hundred are told, and how many are not", () => {
  const rows = Array.from({ length: 120 }, (_, i) => row(`g${i}`, "EUR", BigInt(i + 1), "1"));
  const { groups, more } = groupsOf(rows, "category");
  expect([groups.length, more, groups[0]?.group]).toEqual([100, 20, "g119"]);
});
