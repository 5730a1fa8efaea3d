import { randomBytes } from "node:crypto";
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

/** Row `n` of a run. @param name of the run, see `runName` */
export function lakeRow(name: string, spec: LakeSpec, n: number): LakeRow {
  const rng = new Prng(spec.seed, STREAM, n);
  const told = rng.unit() < REPEAT_SHARE && n > 0 ? n - 1 - rng.below(Math.min(n, NEAR)) : n;
  const own = drawOf(name, spec, n);
  const other = told === n ? own : drawOf(name, spec, told);
  // One that repeats another row itself tells nothing of its own.
  const repeats = told !== n && other.named && !isRepeat(spec, told);
  const { data, outcomes } = repeats ? other : own;
  const merchant = MERCHANTS[rng.below(MERCHANTS.length)] ?? null;
  return {
    id: idOf(name, "8", n),
    transactionalId: idOf(name, "9", n),
    data: JSON.stringify(data),
    merchant: merchant === null ? null : JSON.stringify(merchant),
    outcomes,
    sameAs: idOf(name, "8", repeats ? told : n),
  };
}

const isRepeat = ({ seed }: LakeSpec, n: number): boolean =>
  n > 0 && new Prng(seed, STREAM, n).unit() < REPEAT_SHARE;

function drawOf(name: string, { seed }: LakeSpec, n: number): Drawn {
  const rng = new Prng(seed, STREAM, n, 1);
  const shape = SHAPES[rng.below(SHAPES.length)] as (typeof SHAPES)[number];
  return shape(rng, `${name}x${n.toString(36)}`);
}

/** Of a run: its number, and what tells it from runs of other databases into the same lake. 15 hexadecimal digits. */
export const runName = (trafficId: number): string =>
  trafficId.toString(16).padStart(8, "0") + randomBytes(4).toString("hex").slice(0, 7);

/** A UUID that says whose it is: `0000002a-1f3e-8c07-8000-000000000007` is row 7 of run 42, with 9000 its transaction. */
function idOf(name: string, kind: "8" | "9", n: number): string {
  const parts = [name.slice(0, 8), name.slice(8, 12), `8${name.slice(12)}`, `${kind}000`];
  return `${parts.join("-")}-${n.toString(16).padStart(12, "0")}`;
}
