import { z } from "zod";
import { asOf, count, instant } from "./common.js";

/** GET backups: the newest hundred of each, newest first. */
export const backups = z.object({
  backups: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(["dump", "base"]).meta({ description: "base: the whole cluster, for a point in time." }),
      state: z.enum(["completed", "failed"]),
      started_at: instant,
      finished_at: instant,
      bytes: z.string().nullable(),
      rows: count.nullable(),
      failure: z.string().nullable(),
    }),
  ),
  drills: z.array(
    z.object({
      id: z.string(),
      backup_id: z.string(),
      place: z.enum(["database", "cluster"]),
      state: z.enum(["passed", "failed"]),
      started_at: instant,
      finished_at: instant,
      restore_ms: count.nullable(),
      verify_ms: count.nullable(),
      differences: count,
      failure: z.string().nullable(),
    }),
  ),
  wal_archived_at: instant.nullable(),
  wal_failures: count,
  ...asOf,
});
