import { normaliseBody } from "./domain/normalise.js";
import type { Normaliser } from "./normaliser.js";

/** Understands by rules alone. */
export const ruleNormaliser: Normaliser = {
  normalise: async (bodies) =>
    bodies.map(({ raw, hint, receivedAt }) =>
      normaliseBody(raw, { hint, receivedAtMs: receivedAt.getTime() }),
    ),
};
