import { findCardData } from "../../../lib/domain/card_data.js";
import { parseJson } from "../../../lib/domain/json_parse.js";
import { messageOf } from "../../../lib/errors.js";
import { SchemaMismatch } from "../../../lib/http/validation.js";
import { eventId } from "../../contracts/fields.js";
import { type PartnerEvent, partnerEvent } from "./event.js";

export const MAX_EVENT_BYTES = 256 * 1_024;

/** Why an event was not taken, for a program, and for whoever reads it. */
export interface Refused {
  readonly kind: "refused";
  /** Null where it has none that can be read. */
  readonly eventId: string | null;
  readonly reason: "malformed" | "too_large" | "invalid" | "card_data" | "another_source";
  readonly detail: string;
}

export type ReadEvent = { readonly kind: "read"; readonly event: PartnerEvent } | Refused;

/**
 * An event of a request, from its bytes.
 *
 * @param signedBy the source that signed the request, and may tell no other's events; undefined: nobody signed
 */
export function readEvent(text: Buffer, signedBy: string | undefined): ReadEvent {
  if (text.length > MAX_EVENT_BYTES) {
    return refused(undefined, "too_large", `It has more than ${MAX_EVENT_BYTES} bytes.`);
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    return refused(undefined, "malformed", messageOf(error));
  }
  // Before anything that may repeat what was sent.
  const card = findCardData(value);
  if (card !== undefined) {
    return refused(
      value,
      "card_data",
      `A card number or CVV is at #${card}: send the card's token in its place.`,
    );
  }
  const { success, data: event, error } = partnerEvent.safeParse(value);
  if (!success) {
    const [first] = new SchemaMismatch(error.issues).fields;
    return refused(value, "invalid", `${first?.pointer} ${first?.detail}`);
  }
  if (signedBy !== undefined && event.source !== signedBy) {
    return refused(value, "another_source", `The request is signed by ${signedBy}.`);
  }
  return { kind: "read", event };
}

/** The source that an event claims to be of; undefined where there is none to be read. */
export function claimedSource(text: Buffer): string | undefined {
  if (text.length > MAX_EVENT_BYTES) {
    return undefined;
  }
  try {
    const { source } = parseJson(text) as { readonly source?: unknown };
    return typeof source === "string" ? source : undefined;
  } catch {
    return undefined;
  }
}

function refused(value: unknown, reason: Refused["reason"], detail: string): Refused {
  const given = eventId.safeParse((value as { readonly event_id?: unknown } | null | undefined)?.event_id);
  return {
    kind: "refused",
    eventId: given.success && reason !== "card_data" ? given.data : null,
    reason,
    detail,
  };
}
