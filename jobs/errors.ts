import { defineErrors, EXIT, messageOf, PlatformError } from "../lib/errors.js";

/** The codes of backups and restores. */
export class BackupError extends defineErrors({
  /** No backup has this id, or there is none at all. */
  BACKUP_UNKNOWN: { verdict: "reject", http: 404, exit: EXIT.usage },
  /** Another backup, restore or pruning is at work in the same folder. */
  BACKUP_BUSY: { verdict: "retry", http: 409, exit: EXIT.failed },
  /** A backup could not be made; nothing of it is left. */
  BACKUP_FAILED: { verdict: "retry", http: 500, exit: EXIT.failed },
  /** A backup's files are not what they were when it was made. */
  BACKUP_DAMAGED: { verdict: "reject", http: 500, exit: EXIT.mismatch },
  /** An encrypted backup does not open with the key or passphrase given. */
  BACKUP_LOCKED: { verdict: "retry", http: 500, exit: EXIT.failed },
  /** A restore would overwrite data and was not told so in the required words. */
  RESTORE_REFUSED: { verdict: "reject", http: 409, exit: EXIT.usage },
  /** A restore could not be done; its target is as it was. */
  RESTORE_FAILED: { verdict: "retry", http: 500, exit: EXIT.failed },
  /** A restored database is not what the backup's manifest says. */
  RESTORE_MISMATCH: { verdict: "reject", http: 500, exit: EXIT.mismatch },
}) {}

export type BackupCode = keyof typeof BackupError.table;

/** Anything thrown as an error with a code: its own if it has one, else `code`, telling what was not done and why. */
export function withCode(error: unknown, code: BackupCode, what: string, hint?: string): PlatformError {
  if (error instanceof PlatformError) {
    return error;
  }
  const reason = messageOf(error);
  const details = { hint: connectionsHint(reason) ?? hint, cause: error };
  return new BackupError(code, `${what}: ${reason}.`, details);
}

/**
 * What to do when too few connections were left. pg_dumpall keeps the server's reason to itself.
 *
 * @param reason what a program or the server said.
 */
export function connectionsHint(reason: string): string | undefined {
  return /too many connections|connection slots|could not connect to database/.test(reason)
    ? "A backup takes up to 3 + 2 × BACKUP_JOBS connections, a restore 2 + BACKUP_JOBS: lower BACKUP_JOBS, end idle sessions, or raise the CONNECTION LIMIT of the database or role."
    : undefined;
}
