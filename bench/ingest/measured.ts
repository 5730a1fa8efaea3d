import type { Method } from "../../services/ingest/domain/normalised.js";
import type { Latencies } from "../percentiles.js";
import type { HttpFigures } from "./http.js";
import type { LakeFigures } from "./lake.js";

export interface ReadFigures {
  readonly events: number;
  readonly fillS: number;
  readonly byId: Latencies;
  readonly analytics: Latencies;
}

/** Of events that no rule knows, with a model that is asked about them: one part after the other. */
export interface UnknownFigures {
  readonly providers: number;
  readonly parts: readonly UnknownPart[];
}

export interface UnknownPart extends Latencies {
  /** By what its events were understood when they were answered. */
  readonly methods: Readonly<Record<Method, number>>;
  /** Events of which nobody can know the amount. */
  readonly unknowable: number;
  /** Of the model. */
  readonly calls: number;
}

export interface Measured {
  readonly http: readonly HttpFigures[];
  readonly ai?: UnknownFigures;
  readonly lake?: LakeFigures;
  readonly reads?: ReadFigures;
}
