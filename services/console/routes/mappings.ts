import { z } from "zod";
import { LAST_ID } from "../../../lib/domain/ids.js";
import type { SentAnswer } from "../../../lib/http/answer.js";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import { actionRequest } from "../contracts/actions.js";
import { type Mapping, mappingList, mappingQuery, rules } from "../contracts/events.js";
import { listMappings, type MappingRow } from "../store/mapping.js";
import type { Resources } from "./resources.js";
import { act, FRESH, look, OWN } from "./route.js";

const pages = keyset("console mappings", { id: z.uuid() });

/** They are part of the code, and 1 MB: written once, as that takes 0.2 s. */
export const getRules = ({ access, platformActions }: Resources) => {
  let written: SentAnswer | undefined;
  return defineRoute({
    ...OWN,
    ...{ method: "GET", path: "/console/api/rules", summary: "Rules by which providers' events are read" },
    answers: { 200: rules },
    handle: async (asked) => {
      access.requireViewer(asked.raw.headers);
      written ??= asked.send({
        status: 200,
        body: { ...platformActions.rules(), as_of: new Date().toISOString() },
        headers: FRESH,
      });
      return written;
    },
  });
};

export const getMappings = (resources: Resources) =>
  look(resources, {
    path: "/mappings",
    summary: "Mappings that a model gave, newest first",
    request: { query: mappingQuery.extend({ cursor: pages.query.cursor }) },
    answer: mappingList,
    handle: async ({ query }) => {
      const rows = await listMappings(resources.pool, {
        state: query.state === "pending" ? "candidate" : query.state,
        before: query.cursor?.id ?? LAST_ID,
        limit: pages.rowsOf(query),
      });
      const { items, next } = pages.page(rows, query, ({ id }) => ({ id }));
      return { items: items.map(bodyOf), next };
    },
  });

const deciding = (decision: "accept" | "reject", summary: string) => (resources: Resources) =>
  act(resources, {
    path: `/mappings/:id/${decision}`,
    summary,
    request: { params: z.object({ id: z.uuid().toLowerCase() }), body: actionRequest },
    action: ({ params: { id } }) => ({
      kind: `mapping.${decision}` as const,
      subject: id,
      work: (doer) => resources.platformActions.decideMapping({ id, decision }, doer),
    }),
  });

export const acceptMapping = deciding("accept", "Make a mapping a rule");
export const rejectMapping = deciding(
  "reject",
  "Take a mapping back for good, and have its events read anew",
);

/** A family is a provider, a source and a format. */
function bodyOf(row: MappingRow): Mapping {
  const [, provider = "?", source = "", format = ""] = /^(.*) (\S+) (\S+)$/.exec(row.family) ?? [];
  return {
    ...{ id: row.id, source, format, state: row.state, votes: row.votes, confirmations: row.confirmations },
    rule: `learned/${row.layout}`,
    provider: provider === "?" ? null : provider,
    waits_for: row.waitsFor,
    decided_by: row.decidedBy,
    created_at: row.createdAt.toISOString(),
    changed_at: row.changedAt.toISOString(),
    mapping: { ...row.mapping },
  };
}
