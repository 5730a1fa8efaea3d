/** Tables that turn a uniform random number into a skewed choice with one array read. */

/**
 * Slots in which index i stands in proportion to its weight, at least once when its weight is positive; drawing a slot
 * draws an index. Coarser than an alias table and half the work per draw.
 *
 * @param size slots to fill; the result may be a little longer or shorter by rounding.
 */
export function slotsByWeight(weights: ArrayLike<number>, size: number): Int32Array {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i] ?? 0;
  const slots: number[] = [];
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    if (weight <= 0) continue;
    const copies = Math.max(1, Math.round((weight / total) * size));
    for (let k = 0; k < copies; k++) slots.push(i);
  }
  return Int32Array.from(slots);
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
  if (p > 1 - 0.02425) return -normalQuantile(1 - p);
  const q = p - 0.5;
  return (horner(a, q * q) * q) / horner(b, q * q);
}
