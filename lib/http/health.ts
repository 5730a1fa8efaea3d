import { z } from "zod";
import type { Dependencies, Part } from "../runtime/lifecycle.js";
import { Lifecycle } from "../runtime/lifecycle.js";
import { defineRoute, type Route } from "./route.js";

/** A summary for people and load balancers. */
export const health = z.object({
  status: z.enum(["healthy", "degraded", "unhealthy"]),
  checks: z.record(z.string(), z.enum(["up", "down"])),
  timestamp: z.iso.datetime(),
});

/** @param critical dependencies without one of which nothing works; without another one it works less well. */
export function healthOf(
  checks: Dependencies,
  critical: readonly string[],
): { readonly status: number; readonly body: z.output<typeof health> } {
  const down = Object.keys(checks).filter((name) => checks[name] === "down");
  const unhealthy = down.some((name) => critical.includes(name));
  const impaired = unhealthy ? "unhealthy" : "degraded";
  return {
    status: unhealthy ? 503 : 200,
    body: { status: down.length > 0 ? impaired : "healthy", checks, timestamp: new Date().toISOString() },
  };
}

/** The health of a module by itself, where it has an address of its own. */
export const healthRoute = (
  path: Route["path"],
  summary: string,
  { parts, critical }: { readonly parts: readonly Part[]; readonly critical: readonly string[] },
): Route =>
  defineRoute({
    method: "GET",
    path,
    summary,
    answers: { 200: health, 503: health },
    handle: async () => healthOf(await new Lifecycle(() => parts).dependencies(), critical),
  });
