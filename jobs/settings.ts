import { z } from "zod";
import type { Settings } from "../lib/settings/base.js";
import { path, type SettingsDeclaration, secret, whole } from "../lib/settings/define.js";

const schema = z.object({
  BACKUP_DIR: path("backups").describe(
    "Where backups go; like all paths here: absolute, ~/..., or relative to the checkout",
  ),
  BACKUP_WAL_DIR: path("").describe("Where PostgreSQL archives its WAL; by default wal below BACKUP_DIR"),
  BACKUP_JOBS: whole(1, 64).default(2).describe("Tables dumped, restored and checked at the same time"),
  BACKUP_ENCRYPT_TO: z
    .string()
    .default("")
    .describe(
      "Public key that dumps are encrypted to: an age recipient (age1...) or a gpg key; empty: not encrypted",
    ),
  BACKUP_AGE_IDENTITY: path("").describe("File with the age key that opens encrypted dumps"),
  BACKUP_PASSPHRASE: secret.describe("Passphrase of the gpg key that opens encrypted dumps"),
  BACKUP_INTERVAL_S: whole(1, 31_536_000).default(86_400).describe("Seconds from one dump to the next"),
  BACKUP_BASE_INTERVAL_S: whole(0, 31_536_000)
    .default(86_400)
    .describe("Seconds from one base backup to the next, where WAL is archived; 0: none"),
  BACKUP_DRILL_INTERVAL_S: whole(0, 31_536_000)
    .default(604_800)
    .describe("Seconds from one restore drill to the next; 0: none"),
  // Four chances before an alert asks for an audit a day; each reads all payments that there are.
  JOBS_AUDIT_INTERVAL_S: whole(0, 31_536_000)
    .default(21_600)
    .describe("Seconds from one audit of the services' books to the next; 0: none"),
  BACKUP_KEEP_DAILY: whole(1, 1_000).default(7).describe("Dumps kept: the last one of so many days"),
  BACKUP_KEEP_WEEKLY: whole(0, 1_000).default(4).describe("and of so many weeks"),
  BACKUP_KEEP_MONTHLY: whole(0, 1_000).default(6).describe("and of so many months"),
  BACKUP_KEEP_BASE: whole(1, 100)
    .default(2)
    .describe("Base backups kept, with the WAL since the oldest of them"),
});

type OwnSettings = z.infer<typeof schema>;
export interface BackupSettings extends Settings, OwnSettings {}

export const backupSettings: SettingsDeclaration<OwnSettings> = { schema, prefixes: ["BACKUP_", "JOBS_"] };
