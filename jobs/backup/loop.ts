import { codeOf, messageOf } from "../../lib/errors.js";
import type { Logger } from "../../lib/observability/log.js";
import { one } from "../../lib/postgres/one.js";
import { dueAt } from "../../lib/runtime/schedule.js";
import { pause } from "../../lib/timing.js";
import { audit } from "../audit.js";
import type { BackupSettings } from "../settings.js";
import { addressOf, withSession } from "./address.js";
import { backup } from "./backup.js";
import { drill } from "./drill.js";
import { warnOfAhead } from "./newest.js";
import { prune } from "./prune.js";
import { type Backup, listBackups } from "./store.js";

/** Looked at again at least so often: another process may have made a backup meanwhile. */
const LOOK_MS = 60_000;

interface Job {
  readonly name: string;
  readonly intervalS: number;
  /** When it succeeded, by what lies in the folder: a restart forgets nothing. */
  readonly times: (backups: readonly Backup[]) => readonly string[];
  readonly run: (signal: AbortSignal) => Promise<unknown>;
  /** When it last succeeded here: nothing in the folder may say so, be it that there was nothing to do, be it read-only. */
  doneMs: number;
  failures: number;
  failedMs: number;
  random: number;
}

/**
 * Dumps, copies the cluster, removes what is too old, proves the newest dump and audits the services' books, each in its interval,
 * one at a time, until `signal` fires. Whatever fails is logged and tried again; servers may come and go.
 */
export async function loop(settings: BackupSettings, logger: Logger, signal: AbortSignal): Promise<void> {
  const jobs = makeJobs(settings, logger);
  const list = () => listBackups(settings.BACKUP_DIR);
  logger.info({ folder: settings.BACKUP_DIR }, "backup loop ready");
  warnOfAhead(await list().catch(() => []), logger);
  while (!signal.aborted) {
    // What cannot be read now may be read later; whatever is due says why it fails.
    const backups = await list().catch(() => []);
    const due = jobs.map((job) => ({ job, at: dueOf(job, backups) })).sort((a, b) => a.at - b.at)[0];
    if (due === undefined) {
      return;
    }
    const wait = due.at - Date.now();
    if (wait > 0) {
      await pause(Math.min(wait, LOOK_MS), signal);
      continue;
    }
    await attempt(due.job, logger, signal);
  }
}

function dueOf(job: Job, backups: readonly Backup[]): number {
  const nowMs = Date.now();
  // A time that is still to come is no reason to wait for it: a clock was wrong.
  const past = [...job.times(backups).map((at) => Date.parse(at)), job.doneMs].filter((ms) => ms <= nowMs);
  const lastMs = past.length === 0 ? null : Math.max(...past);
  return dueAt({ ...job, intervalMs: job.intervalS * 1_000, lastMs }, job.random, nowMs);
}

async function attempt(job: Job, logger: Logger, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  job.random = Math.random();
  try {
    await job.run(signal);
    job.failures = 0;
    job.doneMs = Date.now();
    logger.info({ job: job.name, ms: Math.round(performance.now() - started) }, `${job.name} done`);
  } catch (error) {
    job.failures++;
    job.failedMs = Date.now();
    if (!signal.aborted) {
      logger.error(
        { job: job.name, code: codeOf(error), failures: job.failures },
        `${job.name} failed: ${messageOf(error)}`,
      );
    }
  }
}

function makeJobs(settings: BackupSettings, logger: Logger): Job[] {
  const made = (kind: Backup["kind"]) => (backups: readonly Backup[]) =>
    backups.flatMap((each) => (each.kind === kind ? (each.manifest?.startedAt ?? []) : []));
  const make = async (kind: Backup["kind"], signal: AbortSignal) => {
    await backup(settings, logger, kind, { format: "directory", signal });
    // The backup is made whatever becomes of older ones; to make it again would only fill the disk.
    await prune(settings, logger).catch((error: unknown) => {
      logger.error({ code: codeOf(error) }, `retention failed: ${messageOf(error)}`);
    });
  };
  const unknown = { doneMs: Number.NaN, failures: 0, failedMs: 0, random: Math.random() };
  return [
    {
      name: "dump",
      intervalS: settings.BACKUP_INTERVAL_S,
      times: made("dump"),
      run: (signal) => make("dump", signal),
      ...unknown,
    },
    {
      name: "base backup",
      intervalS: settings.BACKUP_BASE_INTERVAL_S,
      times: made("base"),
      run: async (signal) => {
        // Without the archive it would bring the cluster to no other moment than its own.
        if (await archives(settings)) {
          await make("base", signal);
        }
      },
      ...unknown,
    },
    {
      name: "restore drill",
      intervalS: settings.BACKUP_DRILL_INTERVAL_S,
      times: (backups) => backups.flatMap(({ verifiedAt }) => verifiedAt ?? []),
      run: async (signal) => {
        const { backup: id, notMarked } = await drill(settings, logger, { place: "database", signal });
        if (notMarked !== null) {
          logger.warn({ backup: id }, `no mark was written: ${notMarked}`);
        }
      },
      ...unknown,
    },
    {
      name: "audit",
      intervalS: settings.JOBS_AUDIT_INTERVAL_S,
      times: () => [],
      run: (signal) => audit(settings, logger, signal),
      ...unknown,
    },
  ];
}

async function archives(settings: BackupSettings): Promise<boolean> {
  return withSession(addressOf(settings, "backup"), async (pool) => {
    const { rows } = await pool.query<{ archive_mode: string }>("SHOW archive_mode");
    return one(rows).archive_mode !== "off";
  });
}
