/** Of a column, and of its values with those of another. */
export const MOST_BINS = 50;

/** Values of a column as bins: numbers by rank, so that all hold about as many rows; names by how frequent they are. */
export function binsOf(values: readonly (number | string)[]): Uint16Array {
  return typeof values[0] === "number" ? byRank(values as readonly number[]) : byName(values as string[]);
}

/** Equal numbers share a bin. */
function byRank(values: readonly number[]): Uint16Array {
  const edges = edgesOf(Float64Array.from(values).sort());
  return Uint16Array.from(values, (value) => {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((edges[middle] ?? 0) <= value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  });
}

/**
 * The least value of each bin but the first. A value that fills a bin has it for itself: what is rare beside it is where fraud would show.
 */
function edgesOf(sorted: Float64Array): number[] {
  const edges: number[] = [];
  for (let begin = 0; edges.length < MOST_BINS - 1; ) {
    const size = Math.ceil((sorted.length - begin) / (MOST_BINS - edges.length));
    const last = sorted[begin + size - 1] ?? Number.POSITIVE_INFINITY;
    const from = sorted.indexOf(last);
    const next = sorted.lastIndexOf(last) + 1;
    begin = from > begin && next - from > size ? from : next;
    if (next <= 0 || begin >= sorted.length) {
      break;
    }
    edges.push(sorted[begin] as number);
  }
  return edges;
}

/** What is rarer than the first 49 shares the last bin. */
function byName(values: readonly string[]): Uint16Array {
  const counts = new Map<string, number>();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const names = [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const places = new Map(names.map((name, place) => [name, Math.min(place, MOST_BINS - 1)]));
  return Uint16Array.from(values, (value) => places.get(value) ?? 0);
}

/** A bin for each pair of bins. */
export function pairBins(a: Uint16Array, b: Uint16Array): Uint16Array {
  return a.map((bin, row) => bin * MOST_BINS + (b[row] ?? 0));
}
