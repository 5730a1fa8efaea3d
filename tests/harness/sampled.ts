/** Of fewer points a sample saves little, and leaves out what one scenario is about. */
const FEW = 6;

/**
 * Of the points at which one scenario is repeated, in their order: the first, the last and some between, as many as the square
 * root of all, and those that are always to be there, because they have found a fault or are the only ones of their kind. All of
 * them if they are fewer than six, or with `scripts/test.sh --every-point` (TEST_EVERY_POINT=1).
 * @throws Error when one of `always` is no point.
 */
export function sampled<T>(points: readonly T[], always: readonly NoInfer<T>[] = []): readonly T[] {
  const unknown = always.filter((point) => !points.includes(point));
  if (unknown.length > 0) {
    throw new Error(`not among the points: ${unknown.join(", ")}`);
  }
  if (process.env["TEST_EVERY_POINT"] || points.length < FEW) {
    return points;
  }
  const last = points.length - 1;
  const gaps = Math.max(1, Math.ceil(Math.sqrt(points.length)) - 1);
  const spread = new Set(Array.from({ length: gaps + 1 }, (_, i) => Math.round((i * last) / gaps)));
  return points.filter((point, i) => spread.has(i) || always.includes(point));
}

/** Of each kind the point that comes first. */
export function firstOfEach<T>(points: readonly T[], kindOf: (point: T) => unknown): readonly T[] {
  const kinds = points.map(kindOf);
  return points.filter((_, i) => kinds.indexOf(kinds[i]) === i);
}
