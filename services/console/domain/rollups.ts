import type { Rollups } from "../contracts/data.js";
import type { RollupRow } from "../store/month.js";

const MOST_GROUPS = 100;

/** A month's figures by group, the amounts of a group by currency. */
export function groupsOf(rows: readonly RollupRow[], by: Rollups["by"]): Pick<Rollups, "groups" | "more"> {
  const sums = new Map<string, RollupRow[]>();
  for (const row of rows) {
    const own = sums.get(row.group) ?? [];
    own.push(row);
    sums.set(row.group, own);
  }
  const groups = [...sums].map(([group, own]) => ({
    group,
    transactions: total(own, "transactions"),
    approved: total(own, "approved"),
    fraud: total(own, "fraud"),
    volume: own
      .toSorted((a, b) => Number(b.transactions - a.transactions))
      .map(({ currency, amount }) => ({ currency, amount })),
  }));
  const inOrder = by === "day" ? groups.toSorted(byName) : groups.toSorted(byTransactions);
  return { groups: inOrder.slice(0, MOST_GROUPS), more: Math.max(0, groups.length - MOST_GROUPS) };
}

type Group = Pick<Rollups["groups"][number], "group" | "transactions">;

const byName = (a: Group, b: Group) => (a.group < b.group ? -1 : 1);
const byTransactions = (a: Group, b: Group) => b.transactions - a.transactions || byName(a, b);

const total = (rows: readonly RollupRow[], what: "transactions" | "approved" | "fraud") =>
  Number(rows.reduce((sum, row) => sum + row[what], 0n));
