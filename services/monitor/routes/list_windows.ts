import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { defineRoute } from "../../../lib/http/route.js";
import type { Queryable } from "../../../lib/postgres/pool.js";
import { serviceName } from "../../contracts/report.js";
import { listWindows } from "../store/window.js";
import { bodyOf, windowBody, windowState } from "./window_body.js";

const pages = keyset("windows", { id: z.string().regex(/^\d{1,18}$/) });

export const getWindows = ({ reads }: { readonly reads: Queryable }) =>
  defineRoute({
    method: "GET",
    path: "/api/monitor/windows",
    summary: "Windows, newest first, by pages",
    request: {
      query: z.strictObject({
        ...pages.query,
        service: serviceName.optional(),
        status: windowState.optional(),
      }),
    },
    answers: { 200: pages.answer(windowBody) },
    handle: async ({ query }) => {
      const { service, status: state, cursor } = query;
      const before = cursor === undefined ? undefined : BigInt(cursor.id);
      const rows = await listWindows(reads, { service, state, before, limit: pages.rowsOf(query) });
      const page = pages.page(rows, query, ({ id }) => ({ id: String(id) }));
      return { status: 200, body: { ...page, items: page.items.map(bodyOf) } };
    },
  });
