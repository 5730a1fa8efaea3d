import { formatAmount } from "../../../lib/domain/money.js";
import { VERSIONS, type Version } from "./version.js";

export type PayoutState = "PENDIENTE" | "PROCESANDO" | "EXITOSO" | "FALLIDO";

/** Payouts of one day, currency and state. */
export interface Cell {
  /** `YYYY-MM-DD`, UTC; null: all days before those that are listed. */
  readonly day: string | null;
  readonly currency: string;
  readonly state: PayoutState;
  readonly payouts: number;
  /** Minor units. */
  readonly amount: bigint;
  /** Paid, and sent back by the bank later. */
  readonly returned: number;
}

/** Payouts for one affiliate, in one currency. */
export interface AffiliateSum {
  readonly affiliate: string;
  readonly currency: string;
  readonly payouts: number;
  readonly amount: bigint;
  readonly completed: number;
  readonly failed: number;
}

export interface CampaignRow {
  readonly campaignId: string;
  readonly name: string;
  readonly state: "CREATED" | "ACTIVE" | "PAUSED" | "COMPLETED";
  readonly currency: string;
  readonly budget: bigint;
  readonly spend: bigint;
  readonly impressions: number;
  readonly clicks: number;
  readonly conversions: number;
}

/** What a report is made of: one moment of one read model. */
export interface Model {
  readonly asOf: Date;
  readonly cells: readonly Cell[];
  /** The largest; of the others there are the sums only. v1 does without. */
  readonly affiliates: readonly AffiliateSum[];
  /** The newest. v1 does without. */
  readonly campaigns: readonly CampaignRow[];
}

interface Sum {
  readonly payouts: number;
  readonly amount: bigint;
  readonly completed: number;
  readonly failed: number;
}

const NOTHING: Sum = { payouts: 0, amount: 0n, completed: 0, failed: 0 };

const plus = (a: Sum, b: Sum): Sum => ({
  payouts: a.payouts + b.payouts,
  amount: a.amount + b.amount,
  completed: a.completed + b.completed,
  failed: a.failed + b.failed,
});

const minus = (a: Sum, b: Sum): Sum => ({
  payouts: a.payouts - b.payouts,
  amount: a.amount - b.amount,
  completed: a.completed - b.completed,
  failed: a.failed - b.failed,
});

const sumOf = ({ state, payouts, amount }: Cell): Sum => ({
  payouts,
  amount,
  completed: state === "EXITOSO" ? payouts : 0,
  failed: state === "FALLIDO" ? payouts : 0,
});

/** Sums by a key, in the order of the keys. */
function sumsBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  sum: (item: Item) => Sum,
): readonly (readonly [key: string, sum: Sum])[] {
  const sums = new Map<string, Sum>();
  for (const item of items) {
    sums.set(keyOf(item), plus(sums.get(keyOf(item)) ?? NOTHING, sum(item)));
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** As it is answered. */
const shown = (currency: string, { payouts, amount, completed, failed }: Sum) => ({
  currency,
  count: payouts,
  amount: formatAmount(amount, currency),
  completed,
  failed,
});

const totalsOf = (cells: readonly Cell[]) => sumsBy(cells, ({ currency }) => currency, sumOf);

function reportV1({ asOf, cells }: Model) {
  return {
    version: "v1" as const,
    as_of: asOf.toISOString(),
    totals: totalsOf(cells).map(([currency, sum]) => shown(currency, sum)),
  };
}

/** All of v1, and more. */
function reportV2(model: Model) {
  const { cells, affiliates, campaigns } = model;
  const totals = totalsOf(cells);
  return {
    ...reportV1(model),
    version: "v2" as const,
    by_status: byStatus(cells),
    by_day: byDay(cells),
    by_affiliate: byAffiliate(affiliates, totals),
    success_rate: successRate(totals.map(([, sum]) => sum)),
    mean_amount: totals.map(([currency, sum]) => ({ currency, amount: meanOf(sum, currency) })),
    campaigns: campaigns.map(({ campaignId, budget, spend, ...campaign }) => ({
      campaign_id: campaignId,
      ...campaign,
      budget: formatAmount(budget, campaign.currency),
      spend: formatAmount(spend, campaign.currency),
    })),
  };
}

const REPORTS = { v1: reportV1, v2: reportV2 } satisfies Record<Version, (model: Model) => object>;

/** The report of a version. Pure: the same model gives the same report. */
export const reportOf = (version: Version, model: Model) => REPORTS[version](model);

/** @returns undefined for a name that is no version */
export const versionOf = (name: string): Version | undefined => VERSIONS.find((version) => version === name);

function byStatus(cells: readonly Cell[]) {
  const key = ({ state, currency }: Cell) => `${state} ${currency}`;
  const returned = new Map<string, number>();
  for (const cell of cells) {
    returned.set(key(cell), (returned.get(key(cell)) ?? 0) + cell.returned);
  }
  return sumsBy(cells, key, sumOf).map(([name, { payouts, amount }]) => {
    const [status, currency] = name.split(" ") as [PayoutState, string];
    return {
      status,
      currency,
      count: payouts,
      amount: formatAmount(amount, currency),
      returned: returned.get(name) ?? 0,
    };
  });
}

/** Newest first; the last, without a day, stands for all before. */
function byDay(cells: readonly Cell[]) {
  return sumsBy(cells, ({ day, currency }) => `${day ?? ""} ${currency}`, sumOf)
    .toReversed()
    .map(([key, sum]) => {
      const [day, currency] = key.split(" ") as [string, string];
      return { day: day === "" ? null : day, ...shown(currency, sum) };
    });
}

/** Largest first; those without an id stand for all others of their currency. */
function byAffiliate(affiliates: readonly AffiliateSum[], totals: ReturnType<typeof totalsOf>) {
  const listed = new Map(
    sumsBy(
      affiliates,
      ({ currency }) => currency,
      (sum) => sum,
    ),
  );
  const others = totals
    .map(([currency, sum]) => [currency, minus(sum, listed.get(currency) ?? NOTHING)] as const)
    .filter(([, { payouts }]) => payouts > 0);
  return [
    ...affiliates.map(({ affiliate, currency, ...sum }) => ({
      id_afiliado: affiliate,
      ...shown(currency, sum),
    })),
    ...others.map(([currency, sum]) => ({ id_afiliado: null, ...shown(currency, sum) })),
  ];
}

/** Of the payouts that have ended, to four digits; null while none has. */
function successRate(sums: readonly Sum[]): number | null {
  const { completed, failed } = sums.reduce(plus, NOTHING);
  return completed + failed === 0 ? null : Math.round((completed / (completed + failed)) * 10_000) / 10_000;
}

/** To the minor unit, halves up. */
function meanOf({ payouts, amount }: Sum, currency: string): string {
  const count = BigInt(payouts);
  return formatAmount((2n * amount + count) / (2n * count), currency);
}
