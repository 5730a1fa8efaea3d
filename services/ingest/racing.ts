import { codeOf } from "../../lib/errors.js";

/** As PostgreSQL calls what goes well when it is tried again. */
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK = "40P01";
const TRIES = 5;

/** Somebody was faster by a moment. */
export class LostRace extends Error {
  readonly code = SERIALIZATION_FAILURE;

  constructor() {
    super("somebody else has entered the same key just now");
  }
}

/** Does work anew that lost against somebody else; whoever loses five times is told so. */
export async function whileRacing<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      if (tries === TRIES || (code !== SERIALIZATION_FAILURE && code !== DEADLOCK)) {
        throw error;
      }
    }
  }
}
