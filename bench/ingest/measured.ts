import type { Latencies } from "../percentiles.js";
import type { HttpFigures } from "./http.js";
import type { LakeFigures } from "./lake.js";

export interface ReadFigures {
  readonly events: number;
  readonly fillS: number;
  readonly byId: Latencies;
  readonly analytics: Latencies;
}

export interface Measured {
  readonly http: readonly HttpFigures[];
  readonly lake?: LakeFigures;
  readonly reads?: ReadFigures;
}
