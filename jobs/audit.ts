import { join } from "node:path";
import { EXIT } from "../lib/errors.js";
import type { Logger } from "../lib/observability/log.js";
import { run } from "../lib/process/run.js";
import { packageRoot } from "../lib/root.js";
import type { Settings } from "../lib/settings/base.js";

const PAYMENTS = join(packageRoot, "dist", "app", "main.js");

/**
 * Has `payments audit` look at the services' books, which this module may not; what it finds is kept where alerts see it.
 *
 * @throws Error when it could not look
 */
export async function audit(settings: Settings, logger: Logger, signal: AbortSignal): Promise<void> {
  // It reads more settings than this module has.
  const env = { ...process.env, ...settings };
  const answer = await run([process.execPath, PAYMENTS, "audit", "--json"], {
    env,
    signal,
    answers: [EXIT.ok, EXIT.mismatch, EXIT.incomplete],
  });
  const { differences, unread } = JSON.parse(answer) as { differences: unknown[]; unread: unknown[] };
  if (differences.length > 0) {
    logger.error({ differences: differences.length }, "the services' books disagree: see payments audit");
  }
  if (unread.length > 0) {
    logger.warn({ unread }, "books outside could not be compared: see payments audit");
  }
}
