import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { within } from "../../../lib/timing.js";
import { VERSIONS } from "../domain/version.js";
import { readState } from "../store/state.js";
import type { Resources } from "./resources.js";

/** Whoever asks will not wait long. */
const ANSWER_MS = 2_000;

const state = z.enum(["up", "down"]);
const count = z.int().nonnegative();

const health = z.object({
  status: z.enum(["healthy", "degraded", "unhealthy"]),
  checks: z.record(z.string(), state),
  timestamp: z.iso.datetime(),
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
    answers: { 200: health, 503: health },
    handle: async () => {
      const [checks, read] = await Promise.all([
        dependencies(),
        within(ANSWER_MS, readState(pool), () => new Error("no answer")).catch(() => undefined),
      ]);
      const others = Object.values(checks).every((check) => check === "up") ? "healthy" : "degraded";
      return {
        status: read === undefined ? 503 : 200,
        body: {
          status: read === undefined ? "unhealthy" : others,
          checks: { ...checks, postgres: read === undefined ? "down" : "up" },
          timestamp: new Date().toISOString(),
          report: read === undefined ? null : { ...read, waiting: waiting.events ?? null },
        },
      };
    },
  });
