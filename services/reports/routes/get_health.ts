import { z } from "zod";
import { health, healthOf } from "../../../lib/http/health.js";
import { defineRoute } from "../../../lib/http/route.js";
import { within } from "../../../lib/timing.js";
import { VERSIONS } from "../domain/version.js";
import { readState } from "../store/state.js";
import type { Resources } from "./resources.js";

/** Whoever asks will not wait long. */
const ANSWER_MS = 2_000;

const count = z.int().nonnegative();

const reportHealth = health.extend({
  report: z
    .object({
      version: z.enum(VERSIONS),
      epoch: z.int().positive(),
      generation: z.int().positive(),
      events: count.meta({ description: "In the archive, and all of them in the report." }),
      as_of: z.iso.datetime(),
      waiting: count
        .nullable()
        .meta({ description: "Events in the queues; null: the broker has not told lately." }),
      parked: count.meta({ description: "Payouts whose first event has not come; they are in no sum." }),
      rebuild: z
        .object({ generation: z.int().positive(), behind: count })
        .nullable()
        .meta({ description: "What is being made beside, and how many events it lacks." }),
    })
    .nullable()
    .meta({ description: "null: the database does not answer." }),
});

export const getHealth = ({ pool, waiting, dependencies }: Resources) =>
  defineRoute({
    method: "GET",
    path: "/api/reports/health",
    summary: "Whether reports are served, of what, and how far behind",
    answers: { 200: reportHealth, 503: reportHealth },
    handle: async () => {
      const [checks, read] = await Promise.all([
        dependencies(),
        within(ANSWER_MS, readState(pool), () => new Error("no answer")).catch(() => undefined),
      ]);
      const postgres = read === undefined ? "down" : "up";
      const { status, body } = healthOf({ ...checks, postgres }, ["postgres"]);
      const report = read === undefined ? null : { ...read, waiting: waiting.events ?? null };
      return { status, body: { ...body, report } };
    },
  });
