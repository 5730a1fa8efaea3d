import type { z } from "zod";
import type { windowDetail } from "../contracts/windows.js";
import type { SlotRow } from "../store/window.js";

type Detail = z.output<typeof windowDetail>;
type Stretch = NonNullable<Detail["slots"]>[number];

/** A strip of more is no picture any more. */
const MOST_STRETCHES = 2_000;

/** Slots that follow each other and are alike as one. @param isOpen reports may still come */
export function stretchesOf(slots: readonly SlotRow[], isOpen: boolean): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { seq, came: arrival, told } of slots) {
    const came = arrival ?? (isOpen ? "waiting" : "missing");
    const last = stretches.at(-1);
    if (last !== undefined && last.came === came && last.told === told) {
      last.last = seq;
    } else if (stretches.length < MOST_STRETCHES) {
      stretches.push({ first: seq, last: seq, came, told });
    } else {
      break;
    }
  }
  return stretches;
}

/** The two books in figures; null: the reporter has none here. */
export function compareSlots(slots: readonly SlotRow[]): Detail["compare"] {
  if (slots.every(({ told }) => told === null)) {
    return null;
  }
  const count = (is: (slot: SlotRow) => boolean) => slots.filter(is).length;
  const sent = ({ told }: SlotRow) => told === "sent" || told === "sending";
  return {
    expected: slots.length,
    sent: count(({ told }) => told === "sent"),
    omitted: count(({ told }) => told === "omitted"),
    stalled: count(({ told }) => told === "stalled"),
    unknown: count(({ told }) => told === "unknown" || told === "sending"),
    came: count(({ came }) => came !== null),
    came_without_being_sent: count((slot) => slot.came !== null && !sent(slot) && slot.told !== "unknown"),
    sent_without_coming: count(({ told, came }) => told === "sent" && came === null),
  };
}
