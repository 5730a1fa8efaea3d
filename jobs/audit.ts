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
  const env = { ...settings, PAYMENTS_ENV_FILE: "/dev/null" };
  const answer = await run([process.execPath, PAYMENTS, "audit", "--json"], {
    env,
    signal,
    answers: [EXIT.ok, EXIT.mismatch],
  });
  const { differences } = JSON.parse(answer) as { differences: unknown[] };
  if (differences.length > 0) {
    logger.error({ differences: differences.length }, "the services' books disagree: see payments audit");
  }
}
