import { COUNTRIES } from "../world/world.js";
import { logRatio, totalVariation, zipfExponent } from "./distance.js";
import { BENFORD, PUBLISHED, type Published } from "./published.js";

/** Counts of rows alike, as db/queries/profile_cells.sql makes them. */
export interface Cell {
  readonly by: "cell" | "hour";
  readonly category: string;
  readonly channel: string;
  readonly kind: string;
  readonly status: string;
  readonly abroad: boolean;
  readonly currency: string;
  readonly digit: number;
  /** Of the merchant. */
  readonly country: string;
  /** Of the week in UTC, 0: Monday 00:00. */
  readonly hour: number;
  readonly rows: number;
  readonly amount: number;
  readonly fraud_amount: number;
  readonly fraud: number;
}

export interface RefundLag {
  readonly refunds: number;
  /** Hours. */
  readonly p50: number;
  readonly p90: number;
}

export interface Measured {
  readonly cells: readonly Cell[];
  /** Rows of each merchant that had any, the most popular first. */
  readonly merchants: readonly number[];
  readonly refundLag: RefundLag;
}

/** `near` and `far` are said of what was published; of the rest there is nothing to compare with. */
export type Verdict = "near" | "far" | "none published";

export interface Shape {
  readonly shape: string;
  readonly unit: "share" | "EUR" | "USD" | "hours" | "exponent" | "total variation";
  /** null where no row has it. */
  readonly found: number | null;
  readonly published: (Published & { /** Those of `parts`. */ readonly parts?: readonly number[] }) | null;
  readonly distance: number | null;
  readonly verdict: Verdict;
  /** What the figure is made of, where it is many: first digits 1 to 9, days from Monday, hours from 0, each a share. */
  readonly parts?: readonly number[];
}

/** Within a quarter of what was published: another country's figure of another year is not closer to itself. */
const NEAR_LOG_RATIO = Math.log(1.25);
/** A twentieth of the rows would have to begin with another digit. */
const NEAR_VARIATION = 0.05;
const HOURS_OF_WEEK = 168;

/** Shapes of published rows beside figures that others published, each with its distance and a verdict. */
export function shapesOf({ cells: all, merchants, refundLag }: Measured): Shape[] {
  const cells = all.filter(({ by }) => by === "cell");
  const week = localWeek(all.filter(({ by }) => by === "hour"));
  const taken = cells.filter(({ kind, status }) => kind !== "refund" && status === "approved");
  const mean = (category: string, currency: string) =>
    meanOf(taken.filter((cell) => cell.category === category && cell.currency === currency));
  const approved = (remote: boolean) =>
    share(
      cells.filter(({ channel, kind }) => kind !== "refund" && (channel === "ecom") === remote),
      ({ status }) => status !== "declined",
    );
  const ofRows = (count: number) =>
    merchants.length === 0 ? null : sumOf(merchants.slice(0, count)) / sumOf(merchants);
  const parts = (length: number, of: (hour: number) => number) => partsOf(week, length, of);
  return [
    benford(cells),
    compared(
      "mean card payment",
      "EUR",
      meanOf(taken.filter(({ kind, currency }) => kind === "purchase" && currency === "EUR")),
      PUBLISHED.paymentEur,
    ),
    compared("mean purchase in groceries", "USD", mean("grocery", "USD"), PUBLISHED.groceryUsd),
    compared("mean bill in restaurants", "USD", mean("restaurant", "USD"), PUBLISHED.restaurantUsd),
    compared("mean withdrawal of cash", "USD", mean("cash_machine", "USD"), PUBLISHED.cashUsd),
    compared("approved, card present", "share", approved(false), PUBLISHED.approvedPresent),
    compared("approved, online", "share", approved(true), PUBLISHED.approvedRemote),
    compared(
      "rows across a border",
      "share",
      share(cells, ({ abroad }) => abroad),
      PUBLISHED.crossBorder, // there of value
    ),
    compared("rows on Saturday, 10:00 to 17:00 there", "share", saturday(week), PUBLISHED.saturday),
    compared("fraud, of all value in EUR", "share", fraudOf(taken), PUBLISHED.fraudValue),
    {
      ...alone("rows by weekday, the busiest", "share", largest(parts(7, (hour) => Math.floor(hour / 24)))),
      parts: parts(7, (hour) => Math.floor(hour / 24)),
    },
    {
      ...alone("rows by hour there, the busiest", "share", largest(parts(24, (hour) => hour % 24))),
      parts: parts(24, (hour) => hour % 24),
    },
    alone("rows of the most popular 1 % of merchants", "share", ofRows(Math.ceil(merchants.length / 100))),
    alone("popularity of merchants, Zipf", "exponent", merchants.length < 2 ? null : zipfExponent(merchants)),
    alone(
      "refunds, of all rows",
      "share",
      share(cells, ({ kind }) => kind === "refund"),
    ),
    alone("refund after its purchase, half of them", "hours", refundLag.refunds === 0 ? null : refundLag.p50),
    alone("refund after its purchase, nine in ten", "hours", refundLag.refunds === 0 ? null : refundLag.p90),
  ];
}

function compared(shape: string, unit: Shape["unit"], found: number | null, published: Published): Shape {
  const distance = found === null ? null : logRatio(found, published);
  const verdict = distance !== null && distance <= NEAR_LOG_RATIO ? "near" : "far";
  return { shape, unit, found, published, distance, verdict };
}

const alone = (shape: string, unit: Shape["unit"], found: number | null): Shape => ({
  ...{ shape, unit, found, published: null, distance: null, verdict: "none published" },
});

/** Of purchases: cash comes in notes. */
function benford(cells: readonly Cell[]): Shape {
  const purchases = cells.filter(({ kind }) => kind === "purchase");
  const rows = sumOf(purchases.map((cell) => cell.rows));
  const parts = BENFORD.map(
    (_, i) => sumOf(purchases.filter(({ digit }) => digit === i + 1).map((cell) => cell.rows)) / (rows || 1),
  );
  const distance = rows === 0 ? null : totalVariation(parts, BENFORD);
  return {
    ...{ shape: "first digits of purchases", unit: "total variation", found: distance, distance, parts },
    published: { least: 0, most: 0, source: "Benford's law, log10(1 + 1/d)", parts: BENFORD },
    verdict: distance !== null && distance <= NEAR_VARIATION ? "near" : "far",
  };
}

function fraudOf(cells: readonly Cell[]): number | null {
  const euros = cells.filter(({ currency }) => currency === "EUR");
  const amount = sumOf(euros.map((cell) => cell.amount));
  return amount === 0 ? null : sumOf(euros.map((cell) => cell.fraud_amount)) / amount;
}

/** Rows by hour of the week where the merchant is. */
function localWeek(hours: readonly Cell[]): readonly number[] {
  const offsets = new Map(COUNTRIES.map(({ code, utcOffsetHours }) => [code, utcOffsetHours]));
  const week = new Array<number>(HOURS_OF_WEEK).fill(0);
  for (const { country, hour, rows } of hours) {
    const local = (Math.floor(hour + (offsets.get(country) ?? 0)) + HOURS_OF_WEEK) % HOURS_OF_WEEK;
    week[local] = (week[local] ?? 0) + rows;
  }
  return week;
}

function partsOf(week: readonly number[], length: number, of: (hour: number) => number): number[] {
  const rows = sumOf(week);
  return Array.from(
    { length },
    (_, part) => sumOf(week.filter((_, hour) => of(hour) === part)) / (rows || 1),
  );
}

function saturday(week: readonly number[]): number | null {
  const rows = sumOf(week);
  return rows === 0 ? null : sumOf(week.slice(5 * 24 + 10, 5 * 24 + 17)) / rows;
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const largest = (parts: readonly number[]) => (sumOf(parts) === 0 ? null : Math.max(...parts));

function share(cells: readonly Cell[], is: (cell: Cell) => boolean): number | null {
  const rows = sumOf(cells.map((cell) => cell.rows));
  return rows === 0 ? null : sumOf(cells.filter(is).map((cell) => cell.rows)) / rows;
}

function meanOf(cells: readonly Cell[]): number | null {
  const rows = sumOf(cells.map((cell) => cell.rows));
  return rows === 0 ? null : sumOf(cells.map((cell) => cell.amount)) / rows;
}
