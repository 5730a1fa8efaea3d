import { formatCount, formatTable } from "../lib/cli/table.js";

/** What is measured, in the order within a round; several ratios may share one. */
const VARIANTS = ["pipeline", "psql", "same", "stage", "python", "large", "small"] as const;
export type Variant = (typeof VARIANTS)[number];

/** One measurement. `rows` are those that the rate counts: accepted ones of a pipeline, those copied of all others. */
export interface Figure {
  readonly round: number;
  readonly variant: Variant;
  readonly rows: number;
  readonly seconds: number;
  /** Of the worker; only where one was at work. */
  readonly peakMb?: number;
}

export type RatioName = "R1" | "R2" | "R4" | "R5" | "R6";

interface Ratio {
  readonly name: RatioName;
  readonly what: string;
  readonly over: Variant;
  readonly under: Variant;
  /** Rates when left out. */
  readonly of?: "peak";
  readonly atLeast?: number;
  readonly atMost?: number;
}

export const RATIOS: readonly Ratio[] = [
  { name: "R1", what: "pipeline / one psql \\copy", over: "pipeline", under: "psql", atLeast: 2.5 },
  { name: "R2", what: "pipeline / the same by a DBA", over: "pipeline", under: "same", atLeast: 1 },
  { name: "R4", what: "stage / psycopg2", over: "stage", under: "python", atLeast: 15 },
  { name: "R5", what: "rate at 2N rows / at N/5", over: "large", under: "small", atLeast: 0.9 },
  { name: "R6", what: "peak at 2N rows / at N/5", over: "large", under: "small", of: "peak", atMost: 1.15 },
];
const PEAK_LIMIT_MB = 400;

/** The variants that the named ratios need, in the order in which they are measured. */
export function variantsOf(names: readonly RatioName[]): Variant[] {
  const wanted = RATIOS.filter(({ name }) => names.includes(name)).flatMap(({ over, under }) => [
    over,
    under,
  ]);
  return VARIANTS.filter((variant) => wanted.includes(variant));
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param values at least one. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** For a table: counts, or numbers of so many decimals. */
export function spreadCells({ median, min, max }: Spread, decimals?: number): string[] {
  return [median, min, max].map((value) =>
    decimals === undefined ? formatCount(Math.round(value)) : value.toFixed(decimals),
  );
}

export interface Verdict extends Spread {
  readonly name: RatioName;
  readonly what: string;
  readonly target: string;
  /** Whether the median meets the target. */
  readonly ok: boolean;
}

/** Each named ratio over the rounds that have both of its sides; a ratio is taken within a round, then the median of those. */
export function verdictsOf(names: readonly RatioName[], figures: readonly Figure[]): Verdict[] {
  const wanted = RATIOS.filter((ratio) => names.includes(ratio.name));
  return wanted.flatMap((ratio): Verdict[] => {
    const values = pairsOf(ratio, figures);
    if (values.length === 0) {
      return [];
    }
    const { name, what, atLeast, atMost } = ratio;
    const spread = spreadOf(values);
    const ok = spread.median >= (atLeast ?? 0) && spread.median <= (atMost ?? Number.POSITIVE_INFINITY);
    const target = atLeast === undefined ? `<= ${atMost}` : `>= ${atLeast}`;
    const verdict = { name, what, ...spread, target, ok };
    return ratio.of === "peak" ? [verdict, peakVerdict(figures)] : [verdict];
  });
}

/** R6's second half: not only does memory not grow with the run, it is small. */
function peakVerdict(figures: readonly Figure[]): Verdict {
  const peaks = figures.flatMap(({ variant, peakMb }) => (variant === "large" && peakMb ? [peakMb] : []));
  const spread = spreadOf(peaks);
  const ok = spread.max < PEAK_LIMIT_MB;
  return { name: "R6", what: "worker's peak at 2N rows, MB", ...spread, target: `< ${PEAK_LIMIT_MB}`, ok };
}

function pairsOf({ over, under, of }: Ratio, figures: readonly Figure[]): number[] {
  const valueIn = (round: number, variant: Variant) => {
    const figure = figures.find((each) => each.round === round && each.variant === variant);
    return figure && (of === "peak" ? figure.peakMb : rateOf(figure));
  };
  const rounds = [...new Set(figures.map(({ round }) => round))];
  return rounds.flatMap((round) => {
    const [above, below] = [valueIn(round, over), valueIn(round, under)];
    return above === undefined || below === undefined ? [] : [above / below];
  });
}

export function rateOf({ rows, seconds }: Pick<Figure, "rows" | "seconds">): number {
  return rows / seconds;
}

/** Rows/s of each variant that was measured, in order of measurement. */
export function ratesOf(figures: readonly Figure[]): { variant: Variant; rows: number; rate: Spread }[] {
  const variants = [...new Set(figures.map(({ variant }) => variant))];
  return variants.map((variant) => {
    const own = figures.filter((figure) => figure.variant === variant);
    return { variant, rows: own[0]?.rows ?? 0, rate: spreadOf(own.map(rateOf)) };
  });
}

/** Both tables, for a person. */
export function renderLoad(names: readonly RatioName[], figures: readonly Figure[]): string {
  const rates = formatTable(
    ["variant", "rows", "rows/s median", "min", "max"],
    ratesOf(figures).map(({ variant, rows, rate }) => [variant, rows, ...spreadCells(rate)]),
  );
  const verdicts = formatTable(
    ["ratio", "of", "median", "min", "max", "target", ""],
    verdictsOf(names, figures).map(({ name, what, target, ok, ...spread }) => {
      const missed = target.startsWith("<") ? "ABOVE" : "BELOW";
      return [name, what, ...spreadCells(spread, 2), target, ok ? "ok" : missed];
    }),
  );
  return `${rates}\n\n${verdicts}`;
}
