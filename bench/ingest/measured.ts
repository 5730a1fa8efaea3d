import type { Latencies } from "../percentiles.js";
import type { HttpFigures } from "./http.js";
import type { LakeFigures } from "./lake.js";

export interface ReadFigures {
  readonly events: number;
  readonly fillS: number;
  readonly byId: Latencies;
  readonly analytics: Latencies;
}

/** Of events that no rule knows, with a model that is asked about them. */
export interface UnknownFigures extends Latencies {
  readonly events: number;
  readonly providers: number;
  /** Calls of the model, by fifth of the events. */
  readonly callsPer1000: readonly number[];
  /** By which events were understood when they were answered. */
  readonly methods: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly http: readonly HttpFigures[];
  readonly ai?: UnknownFigures;
  readonly lake?: LakeFigures;
  readonly reads?: ReadFigures;
}
