import { z } from "zod";
import { STATES } from "../learning/known.js";
import type { ListedMapping } from "../store/learning.js";

/** A learned mapping, as endpoints and commands tell it. */
export const mappingBody = z.object({
  id: z.uuid(),
  rule: z.string().meta({ description: "What its events say that they were read by." }),
  provider: z.string().nullable(),
  source: z.string(),
  format: z.string(),
  state: z.enum(STATES),
  votes: z.int().meta({ description: "Calls of the model that gave it." }),
  events: z.int().meta({ description: "Events that it is tested on." }),
  waits_for: z.string().nullable().meta({ description: "Why only a person can make it a rule." }),
  decided_by: z.string().nullable(),
  created_at: z.iso.datetime(),
  mapping: z.record(z.string(), z.unknown()).meta({ description: "Paths, unit and value maps." }),
});

export function mappingBodyOf(listed: ListedMapping): z.input<typeof mappingBody> {
  const { id, family, state, votes, events, mapping } = listed;
  const [, provider = "?", source = "", format = ""] = /^(.*) (\S+) (\S+)$/.exec(family) ?? [];
  return {
    ...{ id, source, format, state, votes, events },
    rule: `learned/${listed.layout}`,
    provider: provider === "?" ? null : provider,
    waits_for: listed.waitsFor,
    decided_by: listed.decidedBy,
    created_at: listed.createdAt.toISOString(),
    mapping: { ...mapping },
  };
}
