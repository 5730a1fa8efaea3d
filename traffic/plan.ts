import { requestCount, type TrafficSpec } from "./spec.js";

/** Which kind each request of a run is of, and its number among those. */
export interface Plan {
  /** By request: the place of its kind in the list of kinds. */
  readonly kinds: Uint8Array;
  /** By request: how many of its kind came before it. */
  readonly numbers: Uint32Array;
  /** By kind. */
  readonly counts: readonly number[];
}

/** Mixes the kinds evenly: at any moment each has had its share, to one request. */
export function planOf(spec: TrafficSpec, names: readonly string[]): Plan {
  const weights = names.map((name) => spec.mix[name] ?? 0);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const total = requestCount(spec);
  const kinds = new Uint8Array(total);
  const numbers = new Uint32Array(total);
  const counts = names.map(() => 0);
  for (let i = 0; i < total; i++) {
    const lacks = counts.map((count, k) => ((i + 1) * (weights[k] ?? 0)) / sum - count);
    const k = lacks.indexOf(Math.max(...lacks));
    kinds[i] = k;
    numbers[i] = counts[k] ?? 0;
    counts[k] = (counts[k] ?? 0) + 1;
  }
  return { kinds, numbers, counts };
}
