import type { Prng } from "./prng.js";

/** Tables that turn a uniform random number into a skewed choice. */

/**
 * Slots in which index i stands in proportion to its weight, at least once when its weight is positive; drawing a slot
 * draws an index. For few indices: one read, but the slots must stay in the processor's cache.
 *
 * @param size slots to fill; the result may be a little longer or shorter by rounding.
 */
export function slotsByWeight(weights: ArrayLike<number>, size: number): Int32Array {
  const list = Array.from(weights);
  const total = list.reduce((sum, weight) => sum + weight, 0);
  return Int32Array.from(
    list.flatMap((weight, i) =>
      weight <= 0 ? [] : new Array<number>(Math.max(1, Math.round((weight / total) * size))).fill(i),
    ),
  );
}

const THRESHOLDS = 65_536;

/**
 * Draws an index in proportion to its weight from one random number (Walker's alias method, tables by Vose). Four bytes an
 * index and four for its name, 0.8 MB for all accounts of the world; slots fine enough took ten times that, and reading them
 * was a quarter of the generator's time.
 */
export class AliasTable {
  readonly #names: Int32Array;
  /** By place in `names`: the place to take instead, and in the low 16 bits how often (of 65,536) not to. */
  readonly #entries: Uint32Array;

  /** @throws RangeError when more than 65,536 have a weight. */
  constructor(weights: ArrayLike<number>) {
    const members = Array.from(weights, (_, index) => index).filter((index) => (weights[index] ?? 0) > 0);
    const count = members.length;
    if (count > THRESHOLDS) {
      throw new RangeError(`${count} weights, an alias table holds ${THRESHOLDS}`);
    }
    const total = members.reduce((sum, index) => sum + (weights[index] ?? 0), 0);
    const share = members.map((index) => ((weights[index] ?? 0) * count) / total);
    this.#names = Int32Array.from(members);
    this.#entries = Uint32Array.from(members, (_, place) => place * THRESHOLDS + THRESHOLDS - 1);
    const small = members.map((_, place) => place).filter((place) => (share[place] ?? 0) < 1);
    const large = members.map((_, place) => place).filter((place) => (share[place] ?? 0) >= 1);
    for (
      let poor = small.pop(), rich = large.pop();
      poor !== undefined && rich !== undefined;
      poor = small.pop()
    ) {
      this.#entries[poor] = rich * THRESHOLDS + Math.floor((share[poor] ?? 0) * THRESHOLDS);
      share[rich] = (share[rich] ?? 0) + (share[poor] ?? 0) - 1;
      if ((share[rich] ?? 0) < 1) {
        small.push(rich);
        rich = large.pop();
      }
    }
  }

  /** @returns 0 when nothing has weight. */
  draw(rng: Prng): number {
    const at = rng.unit() * this.#entries.length;
    const place = Math.floor(at);
    const entry = this.#entries[place] ?? 0;
    const taken = (at - place) * THRESHOLDS < (entry & 0xffff) ? place : entry >>> 16;
    return this.#names[taken] ?? 0;
  }

  /** The indices that can be drawn, ascending. */
  members(): number[] {
    return [...this.#names];
  }
}

/** Weights of a Zipf law: the k-th most popular has 1 / (k + shift)^exponent. */
export function zipfWeights(count: number, exponent: number, shift: number): Float64Array {
  return Float64Array.from({ length: count }, (_, k) => 1 / (k + shift) ** exponent);
}

/**
 * Quantiles of a standard normal, `exp(sigma × z)`: a log-normal with median 1, as a table. Drawn by table and rounded to
 * cents later, so a last-bit difference in another machine's `exp` cannot show.
 */
export function lognormalTable(sigma: number, size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => Math.exp(sigma * normalQuantile((i + 0.5) / size)));
}

/** Inverse of the normal distribution function (Acklam's rational approximation, relative error below 1.2e-9). */
export function normalQuantile(p: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ];
  const b = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
  ];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
  const horner = (k: number[], x: number) => k.reduce((sum, coefficient) => sum * x + coefficient, 0);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return horner(c, q) / horner(d, q);
  }
  if (p > 1 - 0.02425) {
    return -normalQuantile(1 - p);
  }
  const q = p - 0.5;
  return (horner(a, q * q) * q) / horner(b, q * q);
}
