import { z } from "zod";
import { keyset } from "../../../lib/http/page.js";
import { type ReportWindow, windowDetail, windowList, windowQuery } from "../contracts/windows.js";
import { compareSlots, stretchesOf } from "../domain/slots.js";
import { known } from "../errors.js";
import { bodyOfLetter, lettersOf } from "../store/letter.js";
import { findWindow, LAST_NUMBER, listWindows, slotsOf, type WindowRow } from "../store/window.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

const pages = keyset("console windows", { number: z.string().regex(/^\d{1,18}$/) });

export const getWindows = (resources: Resources) =>
  look(resources, {
    path: "/windows",
    summary: "Windows of the monitor, newest first",
    request: { query: windowQuery.extend({ cursor: pages.query.cursor }) },
    answer: windowList,
    handle: async ({ query: { cursor, ...filter } }) => {
      const before = cursor === undefined ? LAST_NUMBER : BigInt(cursor.number);
      const { rows, next } = await listWindows(resources.reads, { ...filter, before });
      return {
        items: rows.map(bodyOf),
        next: next === undefined ? null : pages.cursorAt({ number: String(next) }),
      };
    },
  });

export const getWindow = (resources: Resources) =>
  look(resources, {
    path: "/windows/:id",
    summary: "A window slot by slot, the monitor's book beside the reporter's",
    request: { params: z.object({ id: z.uuid().toLowerCase() }) },
    answer: windowDetail,
    handle: async ({ params: { id } }) => {
      const window = known(await findWindow(resources.pool, id), `window ${id}`);
      const isOpen = window.state === "OPEN" || window.state === "UNKNOWN";
      const [slots, letters] = await Promise.all([
        window.late === null ? null : slotsOf(resources.pool, id, window.expected),
        lettersOf(resources.pool, [id]),
      ]);
      return {
        window: bodyOf(window),
        slots: slots && stretchesOf(slots, isOpen),
        compare: slots && compareSlots(slots),
        letters: letters.map(bodyOfLetter),
      };
    },
  });

const bodyOf = (row: WindowRow): ReportWindow => ({
  id: row.id,
  service: row.service,
  state: row.state,
  from: row.from.toISOString(),
  to: row.to.toISOString(),
  deadline: row.deadline.toISOString(),
  interval_ms: row.intervalMs,
  expected: row.expected,
  received: row.received,
  late: row.late,
  errors: row.errors,
  missing: Math.max(0, row.expected - row.received),
  conflicts: row.conflicts,
  decided_at: row.decidedAt?.toISOString() ?? null,
});
