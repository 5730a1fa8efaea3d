import { lakeRow } from "../../traffic/lake/row.js";

/** Events of providers that rules understand, one by one: as many as there are, all different. */
export function* bodies(seed: number): Generator<string> {
  for (let n = 0; ; n++) {
    const { id, sameAs, data, outcomes } = lakeRow(
      seed.toString(16).padStart(15, "0"),
      { rows: n + 1, seed },
      n,
    );
    if (id === sameAs && !outcomes.includes("UNPROCESSED")) {
      yield data;
    }
  }
}

/** The body of a request with one event. */
export const requestOf = (body: string): string => `{"raw_event":${body}}`;

/** The first `count` of an endless sequence. */
export function take<T>(from: Iterator<T>, count: number): T[] {
  return Array.from({ length: count }, () => from.next().value as T);
}
