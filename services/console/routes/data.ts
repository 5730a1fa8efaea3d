import { months, type Rollups, rollupQuery, rollups } from "../contracts/data.js";
import { groupsOf } from "../domain/rollups.js";
import { Kept } from "../kept.js";
import { declinesOf, listMonths, rollUp } from "../store/month.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

export const getMonths = (resources: Resources) =>
  look(resources, {
    path: "/data/months",
    summary: "Published months, oldest first",
    answer: months,
    handle: async () => {
      const rows = await listMonths(resources.reads);
      const sum = (values: readonly bigint[]) => values.reduce((all, each) => all + each, 0n);
      return {
        items: rows.map(({ month, rows: count, bytes, runs, publishedAt }) => ({
          month: month.slice(0, 7),
          rows: Number(count),
          bytes: String(bytes),
          runs: [...runs],
          published_at: publishedAt.toISOString(),
        })),
        rows: Number(sum(rows.map((row) => row.rows))),
        bytes: String(sum(rows.map((row) => row.bytes))),
      };
    },
  });

/** A month's roll-ups have 100,000s of rows, which take 0.1 s, and change when a run ends or a month is rebuilt. */
const KEPT_MS = 60_000;

type Answer = Omit<Rollups, "as_of"> & { readonly as_of: string };

export const getRollups = (resources: Resources) => {
  const kept = new Kept<Answer>(KEPT_MS);
  return look(resources, {
    path: "/data/rollups",
    summary: "Volume, approval, fraud and why transactions were declined, of a month",
    request: { query: rollupQuery },
    answer: rollups,
    handle: ({ query }) =>
      kept.of(`${query.month} ${query.by}`, async () => {
        const as_of = new Date().toISOString();
        return { ...query, ...(await read(resources, query)), as_of };
      }),
  });
};

async function read({ reads }: Resources, { month, by }: Pick<Rollups, "month" | "by">) {
  const day = `${month}-01`;
  if (by !== "decline_reason") {
    return { ...groupsOf(await rollUp(reads, day, by), by), sampled: null };
  }
  const declines = await declinesOf(reads, day);
  const groups = declines.map(({ code, transactions }) => ({
    ...{ group: code, transactions: Number(transactions), approved: null, fraud: null },
    volume: [],
  }));
  return { groups, more: 0, sampled: declines[0]?.share ?? null };
}
