import { statfs } from "node:fs/promises";
import { z } from "zod";
import { defineRoute } from "../../../lib/http/route.js";
import { packageRoot } from "../../../lib/root.js";
import type { Dependencies } from "../../../lib/runtime/lifecycle.js";

/** `off`: there is no key, or a setting turned it off; rules do without it. */
export type AiState = "up" | "down" | "off";

const state = z.enum(["up", "down", "off"]);

const health = z.object({
  status: z.enum(["healthy", "degraded", "unhealthy"]),
  checks: z
    .record(z.string(), state)
    .meta({ description: "database, rabbitmq, ai (off: rules alone), disk (down: less than 5 % is free)" }),
  timestamp: z.iso.datetime(),
});

const LEAST_FREE = 0.05;

export interface HealthOptions {
  readonly dependencies: () => Promise<Dependencies>;
  readonly ai: () => AiState;
}

export const getHealth = ({ dependencies, ai }: HealthOptions) =>
  defineRoute({
    method: "GET",
    path: "/api/v1/health",
    summary: "Whether events are taken in, and what helps or hinders",
    answers: { 200: health, 503: health },
    handle: async () => {
      const [{ postgres: database = "down", ...others }, disk] = await Promise.all([
        dependencies(),
        diskState(),
      ]);
      const checks = { database, ...others, ai: ai(), disk };
      const impaired = Object.values(checks).includes("down") ? "degraded" : "healthy";
      return {
        status: database === "down" ? 503 : 200,
        body: {
          status: database === "down" ? "unhealthy" : impaired,
          checks,
          timestamp: new Date().toISOString(),
        },
      };
    },
  });

/** Of the disk that this process is on, with its logs; PostgreSQL's own is looked at by `payments doctor`. */
async function diskState(): Promise<"up" | "down"> {
  const { bavail, blocks } = await statfs(packageRoot);
  return bavail / blocks < LEAST_FREE ? "down" : "up";
}
