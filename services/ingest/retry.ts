import type { NewEvent } from "./arrival.js";
import type { UnprocessedCode } from "./domain/normalised.js";

/** Of what a rule, a mapping or a model may understand another time. The others are final. */
export const MAY_CHANGE = [
  "UNKNOWN_VALUE",
  "UNDECIDABLE",
  "UNRECOGNISED",
  "AI_PENDING",
] as const satisfies readonly UnprocessedCode[];

/** How often an event is tried again before it is a dead letter. */
export const MAX_ATTEMPTS = 3;
/** Then 15 and 45 minutes: three attempts within about an hour. */
const FIRST_MS = 300_000;
const FACTOR = 3;

/** @param attempts that were made, and failed */
export const retryMs = (attempts: number): number => FIRST_MS * FACTOR ** attempts;

const mayChange = (code: string | null): boolean => MAY_CHANGE.some((each) => each === code);

/** When an event is tried again for the first time; null: it is understood, or never will be. */
export const firstRetryAt = ({ taken, receivedAt }: Pick<NewEvent, "taken" | "receivedAt">): Date | null =>
  mayChange(taken.code) ? new Date(receivedAt.getTime() + retryMs(0)) : null;
