import { z } from "zod";
import type { Arrival } from "../arrival.js";
import { IngestError } from "../errors.js";

const EXAMPLE = {
  raw_event: { status: "succeeded", amount: 5000, currency: "usd", merchant: "Acme Corp" },
  provider: "stripe",
};

/** What is sent of an event, alone or in a batch. */
export const eventRequest = z
  .strictObject({
    raw_event: z
      .union([z.record(z.string(), z.unknown()), z.array(z.unknown()), z.string(), z.null(), z.undefined()])
      .optional()
      .meta({ description: "What a provider sent: a JSON value, or XML, CSV or a form as text." }),
    provider: z.string().max(255).nullish().meta({ description: "Whose event it is, where that is known." }),
  })
  .meta({ examples: [EXAMPLE] });

export const eventRequests = z.array(eventRequest).meta({ examples: [[EXAMPLE]] });

/** @throws IngestError INGEST_EVENT_EMPTY */
export function arrivalOf(
  { raw_event: raw, provider }: z.output<typeof eventRequest>,
  source: string,
): Arrival {
  if (isEmpty(raw)) {
    throw new IngestError("INGEST_EVENT_EMPTY", "raw_event is empty.", {
      field: { in: "body", pointer: "#/raw_event" },
    });
  }
  const hint = provider?.trim();
  return {
    raw: typeof raw === "string" ? { text: raw } : { value: raw },
    source,
    ...(hint ? { hint } : {}),
  };
}

function isEmpty(raw: z.output<typeof eventRequest>["raw_event"]): boolean {
  if (typeof raw === "string") {
    return raw.trim() === "";
  }
  return raw === undefined || raw === null || Object.keys(raw).length === 0;
}
