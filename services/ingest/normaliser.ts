import type { RawBody } from "./domain/document.js";
import type { Normalised } from "./domain/normalised.js";

/** What is to be understood. Card data is masked. */
export interface Body {
  readonly raw: RawBody;
  /** The provider, by whoever sent it. */
  readonly hint?: string | undefined;
  /** Whom it concerns, by whoever sent it: fills what the body does not say. */
  readonly merchant?: Merchant | undefined;
  /** What brought it: `api`, `batch`, `lake`. */
  readonly source: string;
  /** Some times have no year. */
  readonly receivedAt: Date;
}

export interface Merchant {
  readonly name: string | null;
  /** A code or a name, as it was written. */
  readonly country: string | null;
}

/** Understands bodies: by rules, learned mappings, a model. */
export interface Normaliser {
  /** Of each body its events, at least one, in their order. Never throws for what a body is. */
  readonly normalise: (bodies: readonly Body[]) => Promise<readonly (readonly Normalised[])[]>;
  /** Told of bodies that were stored while a model was being asked about them; it has them understood again when it knows. */
  readonly stored?: (bodyIds: readonly string[]) => void;
}
