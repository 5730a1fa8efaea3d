import { backups } from "../contracts/backups.js";
import { listBackups, listDrills, readArchiving } from "../store/backup.js";
import type { Resources } from "./resources.js";
import { look } from "./route.js";

const SHOWN = 100;

export const getBackups = (resources: Resources) =>
  look(resources, {
    path: "/backups",
    summary: "Backups, and those that were restored to see whether they can be",
    answer: backups,
    handle: async () => {
      const { reads } = resources;
      const [made, drills, { archivedAt, failures }] = await Promise.all([
        listBackups(reads, SHOWN),
        listDrills(reads, SHOWN),
        readArchiving(reads),
      ]);
      return {
        backups: made.map(({ id, kind, state, startedAt, finishedAt, bytes, rows, failure }) => ({
          ...{ id, kind, state, failure },
          started_at: startedAt.toISOString(),
          finished_at: finishedAt.toISOString(),
          bytes: bytes === null ? null : String(bytes),
          rows: rows === null ? null : Number(rows),
        })),
        drills: drills.map(({ id, backupId, startedAt, finishedAt, restoreMs, verifyMs, ...drill }) => ({
          ...drill,
          id: String(id),
          backup_id: backupId,
          started_at: startedAt.toISOString(),
          finished_at: finishedAt.toISOString(),
          restore_ms: restoreMs,
          verify_ms: verifyMs,
        })),
        wal_archived_at: archivedAt?.toISOString() ?? null,
        wal_failures: Number(failures),
      };
    },
  });
