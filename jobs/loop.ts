import { codeOf, messageOf } from "../lib/errors.js";
import type { Logger } from "../lib/log.js";
import type { Settings } from "../lib/settings/settings.js";
import { pause } from "../lib/timing.js";
import { backup } from "./backup.js";
import { drill } from "./drill.js";
import { retain } from "./retain.js";
import { dueAt } from "./schedule.js";
import { type Backup, backupFolder, listBackups } from "./store.js";
import { addressOf, withPool } from "./tools.js";

/** Looked at again at least so often: another process may have made a backup meanwhile. */
const LOOK_MS = 60_000;

interface Job {
  readonly name: string;
  readonly intervalS: number;
  /** When it last succeeded, by what lies in the folder: a restart forgets nothing. */
  readonly last: (backups: readonly Backup[]) => string | undefined;
  /** @returns false when there is nothing to do. */
  readonly run: (signal: AbortSignal) => Promise<unknown>;
  failures: number;
  failedMs: number;
  random: number;
}

/**
 * Dumps, copies the cluster, removes what is too old and proves the newest dump, each in its interval, one at a time, until
 * `signal` fires. Whatever fails is logged and tried again; servers may come and go.
 */
export async function loop(settings: Settings, logger: Logger, signal: AbortSignal): Promise<void> {
  const jobs = makeJobs(settings, logger);
  logger.info({ folder: backupFolder(settings) }, "backup loop ready");
  while (!signal.aborted) {
    const backups = await listBackups(backupFolder(settings));
    const due = jobs.map((job) => ({ job, at: dueOf(job, backups) })).sort((a, b) => a.at - b.at)[0];
    if (due === undefined) return;
    const wait = due.at - Date.now();
    if (wait > 0) {
      await pause(Math.min(wait, LOOK_MS), signal);
      continue;
    }
    await attempt(due.job, logger, signal);
  }
}

function dueOf(job: Job, backups: readonly Backup[]): number {
  const last = job.last(backups);
  const lastMs = last === undefined ? null : Date.parse(last);
  return dueAt({ ...job, intervalMs: job.intervalS * 1_000, lastMs }, job.random);
}

async function attempt(job: Job, logger: Logger, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  job.random = Math.random();
  try {
    await job.run(signal);
    job.failures = 0;
    logger.info({ job: job.name, ms: Math.round(performance.now() - started) }, `${job.name} done`);
  } catch (error) {
    job.failures++;
    job.failedMs = Date.now();
    if (!signal.aborted)
      logger.error(
        { job: job.name, code: codeOf(error), failures: job.failures },
        `${job.name} failed: ${messageOf(error)}`,
      );
  }
}

function makeJobs(settings: Settings, logger: Logger): Job[] {
  const state = () => ({ failures: 0, failedMs: 0, random: Math.random() });
  const newest = (kind: Backup["kind"]) => (backups: readonly Backup[]) =>
    backups.find((each) => each.kind === kind && each.manifest !== undefined)?.manifest?.startedAt;
  const make = async (kind: Backup["kind"], signal: AbortSignal) => {
    await backup(settings, logger, kind, { format: "directory", signal });
    await retain(settings, logger);
  };
  const lookedForArchive = { at: undefined as string | undefined };
  return [
    {
      name: "dump",
      intervalS: settings.BACKUP_INTERVAL_S,
      last: newest("dump"),
      run: (signal) => make("dump", signal),
      ...state(),
    },
    {
      name: "base backup",
      intervalS: settings.BACKUP_BASE_INTERVAL_S,
      last: (backups) => later(newest("base")(backups), lookedForArchive.at),
      run: async (signal) => {
        // Without the archive it would bring the cluster to no other moment than its own.
        if (await archives(settings)) await make("base", signal);
        else lookedForArchive.at = new Date().toISOString();
      },
      ...state(),
    },
    {
      name: "restore drill",
      intervalS: settings.BACKUP_DRILL_INTERVAL_S,
      last: (backups) =>
        backups
          .map(({ verifiedAt }) => verifiedAt)
          .filter((at) => at !== null)
          .sort()
          .at(-1),
      run: (signal) => drill(settings, logger, { place: "database", signal }),
      ...state(),
    },
  ];
}

const later = (a: string | undefined, b: string | undefined) =>
  [a, b]
    .filter((at) => at !== undefined)
    .sort()
    .at(-1);

async function archives(settings: Settings): Promise<boolean> {
  return withPool(settings, addressOf(settings, "backup"), 1, async (pool) => {
    const { rows } = await pool.query<{ archive_mode: string }>("SHOW archive_mode");
    return rows[0]?.archive_mode !== "off";
  });
}
