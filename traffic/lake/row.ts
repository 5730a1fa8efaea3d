import { Prng } from "../../etl/world/prng.js";
import { type Drawn, type Outcome, SHAPES } from "./shapes.js";

/** What decides every row of a lake: same spec, same rows, but for the run's number in their ids. */
export interface LakeSpec {
  readonly rows: number;
  readonly seed: number;
}

export interface LakeRow {
  readonly id: string;
  readonly transactionalId: string;
  /** JSON text. */
  readonly data: string;
  readonly merchant: string | null;
  readonly outcomes: readonly Outcome[];
  /** The row that tells the same, and is the first to do so: this one, but for repetitions. */
  readonly sameAs: string;
}

/** Tells the draws of rows from those of requests. */
const STREAM = 0x6c61_6b65;
/** Of rows that tell what another one told. */
const REPEAT_SHARE = 0.05;
/** How many rows before it the other one is at most. */
const NEAR = 10_000;

/** Some write their country as they like. */
const MERCHANTS = [
  { id: "m-1", name: "Librería Cóndor", country: "MX" },
  { id: "m-2", name: "Acme Corp", country: "us" },
  { id: "m-3", name: "Lago Azul", country: "Perú" },
  { id: "m-4", name: "Nord & Süd", country: "DEU" },
  { id: "m-5", name: "Nameless" },
  null,
];

/** Row `n` of a run. */
export function lakeRow(trafficId: number, spec: LakeSpec, n: number): LakeRow {
  const rng = new Prng(spec.seed, STREAM, n);
  const told = rng.unit() < REPEAT_SHARE && n > 0 ? n - 1 - rng.below(Math.min(n, NEAR)) : n;
  const own = drawOf(trafficId, spec, n);
  const other = told === n ? own : drawOf(trafficId, spec, told);
  // One that repeats another row itself tells nothing of its own.
  const repeats = told !== n && other.named && !isRepeat(spec, told);
  const { data, outcomes } = repeats ? other : own;
  const merchant = MERCHANTS[rng.below(MERCHANTS.length)] ?? null;
  return {
    id: idOf(trafficId, "8", n),
    transactionalId: idOf(trafficId, "9", n),
    data: JSON.stringify(data),
    merchant: merchant === null ? null : JSON.stringify(merchant),
    outcomes,
    sameAs: idOf(trafficId, "8", repeats ? told : n),
  };
}

const isRepeat = ({ seed }: LakeSpec, n: number): boolean =>
  n > 0 && new Prng(seed, STREAM, n).unit() < REPEAT_SHARE;

function drawOf(trafficId: number, { seed }: LakeSpec, n: number): Drawn {
  const rng = new Prng(seed, STREAM, n, 1);
  const shape = SHAPES[rng.below(SHAPES.length)] as (typeof SHAPES)[number];
  return shape(rng, `${trafficId.toString(36)}x${n.toString(36)}`);
}

/** A UUID that says whose it is: `0000002a-0000-8000-8000-000000000007` is row 7 of run 42, with 9000 its transaction. */
function idOf(trafficId: number, kind: "8" | "9", n: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  return `${hex(trafficId, 8)}-0000-8000-${kind}000-${hex(n, 12)}`;
}
