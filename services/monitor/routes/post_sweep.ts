import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import type { Sweeper } from "../sweeper.js";

/** Whoever asks for a sweep waits so long for what is on its way; what is not known by then is pending. */
const WAIT_MS = 5_000;

const count = z.int().nonnegative();
const answer = z.object({
  closed: count,
  alert: count,
  unknown: count.meta({
    description: "Undecided for a minute: nobody can say whether their reports are on their way.",
  }),
  pending: count.meta({ description: "Over, and not decided yet: ask again." }),
});

export const postSweep = ({ sweeper }: { readonly sweeper: Sweeper }) =>
  defineRoute({
    method: "POST",
    path: "/api/monitor/windows/sweep",
    summary: "Decide the windows that are over: closed, or an alert where reports lack",
    answers: { 200: answer },
    handle: async ({ ending }) => ({
      status: 200,
      body: await sweeper.sweep({ waitMs: WAIT_MS, ending }),
    }),
  });
