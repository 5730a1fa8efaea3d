import type { Goal } from "../payments/goals.js";
import { atLeast, below } from "../payments/goals.js";
import type { Measured, UnknownFigures, UnknownPart } from "./measured.js";

const EVENTS_PER_S = 4_000;
const BY_ID_P95_MS = 10;
const ANALYTICS_P95_MS = 100;
/** Contract: read by id, analytics and ingest with a model within these, whoever is looked at. */
const BY_ID_P99_MS = 100;
const ANALYTICS_P99_MS = 500;
const AI_P99_MS = 2_000;
/** Of events of unknown providers that can be understood, when they are answered and the model is asked no more. */
const UNDERSTOOD_PCT = 99;
const FILL_S = 600;

/** Of those goals of which there are figures. */
export function goalsOf({ http, ai, lake, reads }: Measured): readonly Goal[] {
  const batches = http.filter(({ events }) => events > 1);
  return [
    ...batches.map(({ eventsPerS }) => atLeast("events/s in batches", eventsPerS, EVENTS_PER_S)),
    ...(ai === undefined ? [] : ofUnknown(ai)),
    ...(lake === undefined
      ? []
      : [
          // Killed on the way, they are slower.
          ...(lake.kills === 0 ? [atLeast("lake rows/s", lake.rowsPerS, EVENTS_PER_S)] : []),
          { ...below("rows that are not marked", lake.unmarked, 1), target: "0" },
          { ...below("differences of the audit", lake.differences.length, 1), target: "0" },
        ]),
    ...(reads === undefined
      ? []
      : [
          below("fill, s", Math.round(reads.fillS), FILL_S),
          below("by id, p95 ms", reads.byId.p95Ms, BY_ID_P95_MS),
          below("by id, p99 ms", reads.byId.p99Ms, BY_ID_P99_MS),
          below("analytics, p95 ms", reads.analytics.p95Ms, ANALYTICS_P95_MS),
          below("analytics, p99 ms", reads.analytics.p99Ms, ANALYTICS_P99_MS),
        ]),
  ];
}

/** A model that nobody asked would be quick, and never called. */
function ofUnknown({ parts }: UnknownFigures): readonly Goal[] {
  const calls = parts.reduce((sum, part) => sum + part.calls, 0);
  const last = parts.at(-1) as UnknownPart;
  const understood = (100 * (last.methods.ai + last.methods.learned)) / (last.transactions - last.unknowable);
  return [
    below("worst part with a model, p99 ms", Math.max(...parts.map(({ p99Ms }) => p99Ms)), AI_P99_MS),
    atLeast("calls of the model", calls, 1),
    { ...below("calls in the last part", last.calls, 1), target: "0" },
    atLeast("understood of what can be, last part, %", understood, UNDERSTOOD_PCT),
  ];
}
