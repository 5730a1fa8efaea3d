import { z } from "zod";
import { LAST_ID } from "../../../lib/domain/ids.js";
import { keyset } from "../../../lib/http/page.js";
import { actionAnswer, actionList } from "../contracts/actions.js";
import { pageQuery } from "../contracts/common.js";
import { known } from "../errors.js";
import { bodyOfAction, findAction, listActions } from "../store/action.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

const pages = keyset("console actions", { id: z.uuid() });

export const getActions = (resources: Resources) =>
  look(resources, {
    path: "/actions",
    summary: "What was done from the console, newest first",
    request: { query: z.strictObject({ ...pageQuery, cursor: pages.query.cursor }) },
    answer: actionList,
    handle: async ({ query }) => {
      const before = query.cursor?.id ?? LAST_ID;
      const rows = await listActions(resources.pool, { before, limit: pages.rowsOf(query) });
      const { items, next } = pages.page(rows, query, ({ actionId }) => ({ id: actionId }));
      return { items: items.map(bodyOfAction), next };
    },
  });

export const getAction = (resources: Resources) =>
  look(resources, {
    path: "/actions/:id",
    summary: "Something that was done",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answer: actionAnswer,
    handle: async ({ params: { id } }) =>
      bodyOfAction(known(await findAction(resources.pool, id), `action ${id}`)),
  });
