import { words } from "../lib/text.js";
import { Mark, type Tone } from "./states.js";

const TONES: Readonly<Record<Tone, readonly string[]>> = {
  good: [
    "APPROVED",
    "EXITOSO",
    "ACTIVE",
    "CLOSED",
    "COMPLETED",
    "done",
    "completed",
    "passed",
    "up",
    "live",
    "promoted",
    "near",
  ],
  warn: [
    "PARTIALLY_REFUNDED",
    "REFUNDED",
    "UNPROCESSED",
    "UNKNOWN",
    "RESOLVED_LATE",
    "PAUSED",
    "unknown",
    "warning",
    "far",
  ],
  bad: [
    "DECLINED",
    "FAILED",
    "FALLIDO",
    "CHARGEBACK",
    "ALERT",
    "failed",
    "away",
    "critical",
    "cancelled",
    "rejected",
  ],
  idle: [],
};

/** How something stands, by its name; one that is not known looks like one under way. @param label in place of the name */
export function State({ state, label }: { readonly state: string; readonly label?: string }) {
  const tones = Object.keys(TONES) as Tone[];
  const tone = tones.find((each) => TONES[each].includes(state)) ?? "idle";
  return (
    <span class="state">
      <Mark tone={tone} /> {label ?? words(state)}
    </span>
  );
}
