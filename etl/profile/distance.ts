import type { Published } from "./published.js";

/** Total variation: the share that would have to be elsewhere for two distributions to be alike. 0 is the same, 1 has nothing in common. */
export function totalVariation(found: readonly number[], published: readonly number[]): number {
  return found.reduce((sum, share, i) => sum + Math.abs(share - (published[i] ?? 0)), 0) / 2;
}

/** How many times a figure is off, as a logarithm: 0 within what was published, 0.69 at twice or half of it. */
export function logRatio(found: number, { least, most }: Published): number {
  if (found <= 0) {
    return Number.POSITIVE_INFINITY;
  }
  return Math.max(0, Math.log(found / most), Math.log(least / found));
}

/** The exponent s of a rank's share, rank^-s: the slope of a line through the logarithms. @param counts the largest first; two at least */
export function zipfExponent(counts: readonly number[]): number {
  const points = counts.map((count, i) => [Math.log(i + 1), Math.log(count)] as const);
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return -covariance / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}
